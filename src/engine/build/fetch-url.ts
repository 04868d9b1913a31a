import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Agent as HttpAgent, get as getHttp, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, get as getHttps } from 'node:https';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { getCACertificates } from 'node:tls';

import { messageOf, StatusError } from '#base/errors.ts';

const maxBytes = 8 * 1024 * 1024 * 1024;
const maxRedirects = 10;
/** Milliseconds without a byte. */
const idleMs = 60_000;

/** `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` as in an environment; loopback is never asked through a proxy. */
type Proxy = Readonly<Record<string, string | undefined>>;

export interface Fetched {
  readonly sizeBytes: number;
  /** `Last-Modified`, nanoseconds since the epoch; 0 when the server does not say. */
  readonly mtimeNs: bigint;
}

/**
 * Fetches a URL (http, https) into a new file, as ADD does. Throws InvalidArgument for a checksum that differs or is of
 * another kind than sha256, NotFound for 404, Unavailable for anything else that the server or the way to it does.
 */
export async function fetchUrl(
  url: string,
  { path, checksum, proxy }: { readonly path: string; readonly checksum: string; readonly proxy: Proxy },
  signal: AbortSignal,
): Promise<Fetched> {
  if (checksum !== '' && !/^sha256:[0-9a-f]{64}$/.test(checksum))
    throw new StatusError(
      'InvalidArgument',
      `invalid checksum ${checksum}: it must be sha256: and 64 hexadecimal digits`,
    );
  const response = await request(url, proxy, signal);
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      done(sizeBytes > maxBytes ? tooLarge(url) : null, chunk);
    },
  });
  await inWords(url, () => pipeline(response, measure, createWriteStream(path, { flags: 'wx' }), { signal }), signal);
  const digest = `sha256:${hash.digest('hex')}`;
  if (checksum !== '' && digest !== checksum)
    throw new StatusError('InvalidArgument', `digest mismatch for ${url}: ${digest}, expected: ${checksum}`);
  const modifiedMs = Date.parse(response.headers['last-modified'] ?? '');
  return { sizeBytes, mtimeNs: Number.isNaN(modifiedMs) ? 0n : BigInt(modifiedMs) * 1_000_000n };
}

async function request(url: string, proxy: Proxy, signal: AbortSignal): Promise<IncomingMessage> {
  let next = url;
  for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
    const response = await inWords(next, () => getOnce(next, proxy, signal), signal);
    const { statusCode = 0, headers } = response;
    if (statusCode === 200) {
      if (Number(headers['content-length'] ?? 0) <= maxBytes) return response;
      response.destroy();
      throw tooLarge(url);
    }
    response.destroy();
    const { location } = headers;
    if (statusCode < 300 || statusCode >= 400 || location === undefined || !URL.canParse(location, next))
      throw new StatusError(
        statusCode === 404 ? 'NotFound' : 'Unavailable',
        `Cannot fetch "${next}": invalid response status ${String(statusCode)}`,
      );
    next = new URL(location, next).href;
  }
  throw new StatusError('Unavailable', `Cannot fetch "${url}": more than ${String(maxRedirects)} redirects`);
}

async function getOnce(url: string, proxy: Proxy, signal: AbortSignal): Promise<IncomingMessage> {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:')
    throw new StatusError('InvalidArgument', `Cannot fetch "${url}": only http and https are allowed`);
  const get = protocol === 'https:' ? getHttps : getHttp;
  const options = isLoopback(hostname) ? {} : { proxyEnv: { ...proxy } };
  const agent =
    protocol === 'https:' ? new HttpsAgent({ ...options, ca: getCACertificates('system') }) : new HttpAgent(options);
  return await new Promise((resolve, reject) => {
    const sent = get(url, { signal, agent, headers: { 'accept-encoding': 'identity' } }, resolve);
    sent.setTimeout(idleMs, () => sent.destroy(new Error(`nothing came for ${String(idleMs / 1000)} seconds`)));
    sent.on('error', reject);
  });
}

function isLoopback(hostname: string): boolean {
  return /^(?:localhost|127\.[0-9.]+|\[::1\])$/.test(hostname);
}

async function inWords<T>(url: string, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof StatusError) throw error;
    throw new StatusError('Unavailable', `Cannot fetch "${url}": ${messageOf(error)}`, { cause: error });
  }
}

function tooLarge(url: string): StatusError {
  return new StatusError('TooLarge', `Cannot fetch "${url}": it has more than ${String(maxBytes)} bytes`);
}
