/** A request to a Kubernetes API, without what a connection adds (authority, credentials). */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query, such as `/api/v1/pods?limit=500`. */
  readonly path: string;
  readonly contentType?: string;
  readonly body?: string;
  /** The answer comes in pieces over a long time: no deadline but the signal. */
  readonly isStream: boolean;
}

export interface ApiResponse {
  readonly status: number;
  /** Seconds of `Retry-After`; undefined: it was not there. */
  readonly retryAfterSeconds: number | undefined;
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Carries requests of a Client to a server: over HTTP/2, or to a server in this process. Throws Unavailable when there is
 * no answer; answers of any status are answers.
 */
export interface Transport {
  send(request: ApiRequest, signal: AbortSignal): Promise<ApiResponse>;
}
