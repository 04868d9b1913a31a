/** A request to a Kubernetes API as it goes over the wire. */
export interface ApiRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

/** For the words of a test that failed. */
export function requestText({ method, target, headers, body }: ApiRequest): string {
  const shown = body === undefined ? '' : ` ${String(body.length)} bytes: ${body.subarray(0, 600).toString('latin1')}`;
  return `${method} ${target.slice(0, 400)} ${JSON.stringify(headers).slice(0, 400)}${shown}`;
}
