import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';

import type { Reply } from './call.ts';
import type { Exchange, Headers } from './exchange.ts';

/** Smaller answers are sent as they are, as upstream does. */
const gzipBytesLeast = 128 * 1024;
const compress = promisify(gzip);

/** Sends an answer, and returns when it is complete or its client is gone. */
export async function sendReply(
  exchange: Exchange,
  reply: Reply,
  headers: Headers,
  signal: AbortSignal,
): Promise<void> {
  const all = { 'content-type': reply.contentType, ...headers, ...reply.headers };
  if (reply.kind === 'body') {
    const { body } = reply;
    if (body.length < gzipBytesLeast || !takesGzip(exchange) || 'content-encoding' in all)
      return exchange.reply(reply.status, all, body);
    const packed = await compress(body, { level: constants.Z_BEST_SPEED });
    return exchange.reply(reply.status, { ...all, 'content-encoding': 'gzip', vary: 'accept-encoding' }, packed);
  }
  const out = exchange.open(reply.status, all);
  try {
    await reply.write(out, signal);
    out.end();
  } catch (error) {
    out.destroy();
    if (!signal.aborted) throw error;
  }
}

function takesGzip({ headers }: Exchange): boolean {
  return /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''));
}
