import assert from 'node:assert/strict';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { test } from 'node:test';

import { nowMs } from '#base/clock.ts';
import { createClient } from '#kube/client/create-client.ts';
import { configMap } from '#kube/kinds/core/config-map.ts';
import { clientCertificate, serverCertificate } from '#pki/certificates.ts';
import { type ClusterPki, openClusterPki } from '#pki/cluster-pki.ts';
import type { ApiTarget } from '#remote/api-target.ts';
import { Http2Transport } from '#remote/http2-transport.ts';

import { tempFolder } from '../../kit/temp-root.ts';

const key = { namespace: 'ns', name: 'a' };
const { signal } = new AbortController();

test('the transport shows its certificate, and wants one of the right authority, for the right name', async (context) => {
  const root = tempFolder(context);
  const pki = await openClusterPki(join(root, 'pki'), nowMs());
  const foreign = await openClusterPki(join(root, 'foreign'), nowMs());
  await using server = await serve(pki);
  const alice = pki.issue(clientCertificate('alice', ['team']), nowMs());
  const target: ApiTarget = {
    origin: `https://127.0.0.1:${String(server.port)}`,
    authoritiesPem: pki.authorityPem,
    serverName: undefined,
    isInsecure: false,
    credentials: alice,
    namespace: 'default',
  };
  assert.equal(await whoAmI(target), 'alice');
  assert.equal(await whoAmI({ ...target, serverName: 'api.test' }), 'alice');
  assert.equal(await whoAmI({ ...target, credentials: {} }), 'nobody');
  assert.equal(await whoAmI({ ...target, authoritiesPem: foreign.authorityPem, isInsecure: true }), 'alice');
  await assert.rejects(whoAmI({ ...target, authoritiesPem: foreign.authorityPem }), {
    reason: 'Unavailable',
    message: /^Cannot reach the Kubernetes API at https:\/\/127\.0\.0\.1:\d+: .*certificate/,
  });
  await assert.rejects(whoAmI({ ...target, serverName: 'other.test' }), { reason: 'Unavailable', message: /altnames/ });
});

test('the transport says so when nobody listens', async (context) => {
  const root = tempFolder(context);
  const pki = await openClusterPki(join(root, 'pki'), nowMs());
  const server = await serve(pki);
  await server[Symbol.asyncDispose]();
  const origin = `https://127.0.0.1:${String(server.port)}`;
  const target = {
    origin,
    authoritiesPem: pki.authorityPem,
    serverName: undefined,
    isInsecure: false,
    credentials: {},
  };
  await assert.rejects(whoAmI({ ...target, namespace: 'default' }), {
    reason: 'Unavailable',
    message: /ECONNREFUSED.*; see whether it runs/,
  });
});

async function whoAmI(target: ApiTarget): Promise<string | undefined> {
  await using transport = new Http2Transport(target, { userAgent: 'test' });
  const { metadata } = await createClient(transport).get(configMap, key, signal);
  return metadata.annotations?.['user'];
}

/** An API that answers everything with an object that says who asks. */
async function serve(pki: ClusterPki): Promise<AsyncDisposable & { readonly port: number }> {
  const own = pki.issue(serverCertificate('api', ['127.0.0.1', 'api.test']), nowMs());
  const server: Http2SecureServer = createSecureServer({
    cert: own.certificatePem,
    key: own.keyPem,
    ca: pki.authorityPem,
    requestCert: true,
    rejectUnauthorized: false,
  });
  server.on('stream', (stream) => {
    const socket = stream.session?.socket as TLSSocket | undefined;
    const subject = socket?.authorized === true ? socket.getPeerCertificate().subject.CN : 'nobody';
    stream.respond({ ':status': 200 });
    stream.end(JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { annotations: { user: subject } } }));
  });
  const { promise: listening, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await listening;
  const { port } = server.address() as AddressInfo;
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      const { promise: closed, resolve: onClose } = Promise.withResolvers<void>();
      server.close(() => onClose());
      await closed;
    },
  };
}
