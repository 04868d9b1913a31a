import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** A load for HTTP/2 over TLS, made by h2load (Debian's nghttp2-client), which takes a tenth of what a client in Node does. */
export interface Load {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  /** Requests under way on each connection. */
  readonly atOnce: number;
  readonly seconds: number;
  /** A file that is sent by POST; undefined: GET. */
  readonly bodyFile?: string;
}

/** Requests a second that were answered with success. Throws when any was refused, and when h2load is not there. */
export async function requestsPerSecond(load: Load): Promise<number> {
  const args = ['-c', String(load.connections), '-m', String(load.atOnce), '-D', String(load.seconds)];
  for (const [name, value] of Object.entries(load.headers)) args.push('-H', `${name}: ${value}`);
  if (load.bodyFile !== undefined) args.push('-d', load.bodyFile);
  const { stdout } = await promisify(execFile)('h2load', [...args, load.url]).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw new Error('h2load is not there: apt-get install nghttp2-client', { cause: error });
    throw error;
  });
  const [, rate] = /finished in [^,]+, ([\d.]+) req\/s/.exec(stdout) ?? [];
  const [, refused] = /status codes: \d+ 2xx, (\d+ 3xx, \d+ 4xx, \d+ 5xx)/.exec(stdout) ?? [];
  if (rate === undefined || refused !== '0 3xx, 0 4xx, 0 5xx') throw new Error(`h2load met refusals: ${stdout}`);
  return Number(rate);
}
