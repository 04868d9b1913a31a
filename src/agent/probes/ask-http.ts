import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';

import { deadline } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';

import type { ProbeResult } from './probe-result.ts';

export interface HttpQuestion {
  readonly url: URL;
  readonly headers: readonly { readonly name?: string; readonly value?: string }[];
}

const redirectsMost = 10;

/**
 * Asks by HTTP or HTTPS, whose certificate is not checked: an answer of 200 to 399 is well. Redirects are followed on the
 * same host.
 */
export async function askHttp(question: HttpQuestion, timeoutMs: number, signal: AbortSignal): Promise<ProbeResult> {
  const limit = deadline(timeoutMs, signal);
  let { url } = question;
  try {
    for (let redirects = 0; redirects <= redirectsMost; redirects += 1) {
      const { statusCode = 0, headers } = await ask({ ...question, url }, limit);
      const isRedirect = statusCode >= 300 && statusCode < 400 && headers.location !== undefined;
      const next = isRedirect ? new URL(headers.location ?? '', url) : undefined;
      if (next !== undefined && next.hostname === url.hostname) url = next;
      else if (statusCode >= 200 && statusCode < 400) return { ok: true, message: '' };
      else return { ok: false, message: `HTTP probe failed with statuscode: ${String(statusCode)}` };
    }
    return { ok: false, message: `Get "${url.href}": stopped after ${String(redirectsMost)} redirects` };
  } catch (error) {
    signal.throwIfAborted();
    const why = limit.aborted
      ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
      : messageOf(error);
    return { ok: false, message: `Get "${question.url.href}": ${why}` };
  }
}

async function ask({ url, headers }: HttpQuestion, signal: AbortSignal): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const own = Object.fromEntries(headers.map(({ name = '', value = '' }) => [name, value]));
  const options = {
    agent: false,
    rejectUnauthorized: false,
    signal,
    headers: { 'User-Agent': 'kube-probe/1.34', Accept: '*/*', Connection: 'close', ...own },
  };
  const request = url.protocol === 'https:' ? requestHttps(url, options) : requestHttp(url, options);
  request.on('response', (response) => {
    response.on('error', () => {});
    response.destroy();
    resolve(response);
  });
  request.on('error', reject);
  request.end();
  return promise;
}
