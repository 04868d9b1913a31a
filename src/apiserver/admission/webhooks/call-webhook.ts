import { request as httpsRequest } from 'node:https';

import { deadline } from '#base/clock.ts';
import type { WebhookClientConfig } from '#kube/types/gen/admissionregistration-v1.ts';

import type { Objects } from '../../auth/objects.ts';

/** Where a webhook listens, and how it proves who it is. */
export interface WebhookTarget {
  readonly url: URL;
  /** Name that its certificate must have. */
  readonly serverName: string;
  /** PEM of the authority; undefined: those of the machine. */
  readonly authority: string | undefined;
}

/** Sends JSON and resolves with the JSON that comes back; rejects with the reason when there is none. */
export type CallWebhook = (
  target: WebhookTarget,
  body: object,
  timeoutMs: number,
  signal: AbortSignal,
) => Promise<unknown>;

/** Answers are patches and sentences. */
const answerBytesMost = 4 * 1024 * 1024;

/** Finds the address of a webhook; services by their address in the cluster. Throws Error with the reason. */
export async function webhookTarget(
  config: WebhookClientConfig,
  objects: Objects,
  signal: AbortSignal,
): Promise<WebhookTarget> {
  const authority = config.caBundle === undefined ? undefined : Buffer.from(config.caBundle, 'base64').toString('utf8');
  if (config.url !== undefined) {
    const url = new URL(config.url);
    return { url, serverName: url.hostname, authority };
  }
  const { name = '', namespace = '', path = '/', port = 443 } = config.service ?? {};
  const found = await objects.get({ group: '', resource: 'services' }, namespace, name, signal);
  const spec = found?.['spec'] as { readonly clusterIP?: string } | undefined;
  const address = spec?.clusterIP ?? '';
  if (found === undefined || address === '' || address === 'None') {
    const state =
      found === undefined
        ? `service ${JSON.stringify(name)} not found`
        : `service ${JSON.stringify(name)} has no cluster address`;
    throw new Error(`${state} in namespace ${JSON.stringify(namespace)}`);
  }
  const host = address.includes(':') ? `[${address}]` : address;
  const url = new URL(`https://${host}:${String(port)}${path.startsWith('/') ? path : `/${path}`}`);
  return { url, serverName: `${name}.${namespace}.svc`, authority };
}

export const callWebhook: CallWebhook = async (target, body, timeoutMs, signal) => {
  const until = deadline(timeoutMs, signal);
  const bytes = Buffer.from(JSON.stringify(body), 'utf8');
  const { status, text } = await post(target, bytes, until).catch((error: unknown) => {
    if (until.aborted && !signal.aborted) throw new Error('context deadline exceeded', { cause: error });
    throw error;
  });
  if (status < 200 || status > 299) throw new Error(`the server answered with status ${String(status)}`);
  return JSON.parse(text) as unknown;
};

async function post(
  { url, serverName, authority }: WebhookTarget,
  bytes: Buffer,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly text: string }> {
  return await new Promise((resolve, reject) => {
    const sent = httpsRequest(url, {
      method: 'POST',
      signal,
      servername: serverName.startsWith('[') || /^[\d.]+$/.test(serverName) ? '' : serverName,
      headers: { 'content-type': 'application/json', 'content-length': bytes.length, accept: 'application/json' },
      ...(authority === undefined ? {} : { ca: authority }),
      // A new connection each time: webhooks are restarted, and a dead connection would cost its timeout.
      agent: false,
    });
    sent.once('error', reject);
    sent.once('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > answerBytesMost)
          sent.destroy(new Error(`the answer has more than ${String(answerBytesMost)} bytes`));
        chunks.push(chunk);
      });
      response.once('error', reject);
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    sent.end(bytes);
  });
}
