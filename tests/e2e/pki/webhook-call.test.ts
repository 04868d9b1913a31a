import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';

import { callWebhook, type WebhookTarget } from '#apiserver/admission/webhooks/call-webhook.ts';
import { nowMs } from '#base/clock.ts';
import { serverCertificate } from '#pki/certificates.ts';
import { openClusterPki } from '#pki/cluster-pki.ts';

import { tempFolder } from '../../kit/temp-root.ts';

const { signal } = new AbortController();

test('a webhook is called over TLS, under its name, in its time', async (t) => {
  const pki = await openClusterPki(tempFolder(t), nowMs());
  const pair = pki.issue(serverCertificate('hook', ['hook.default.svc']), nowMs());
  const server = createServer({ key: pair.keyPem, cert: pair.certificatePem }, (request, response) => {
    if (request.url === '/silent') return;
    if (request.url === '/broken') response.statusCode = 503;
    request.pipe(response);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const target = (path: string, parts: Partial<WebhookTarget> = {}): WebhookTarget => ({
    url: new URL(`https://127.0.0.1:${String(port)}${path}`),
    serverName: 'hook.default.svc',
    authority: pki.authorityPem,
    ...parts,
  });
  assert.deepEqual(await callWebhook(target('/echo'), { a: 'ä' }, 30_000, signal), { a: 'ä' });
  await assert.rejects(callWebhook(target('/broken'), {}, 30_000, signal), /answered with status 503/);
  await assert.rejects(callWebhook(target('/silent'), {}, 50, signal), /context deadline exceeded/);
  await assert.rejects(callWebhook(target('/echo', { serverName: 'other' }), {}, 30_000, signal), /altnames/);
  await assert.rejects(
    callWebhook(target('/echo', { authority: undefined }), {}, 30_000, signal),
    /verify|self.signed/i,
  );
});
