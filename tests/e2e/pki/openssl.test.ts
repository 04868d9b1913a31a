import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { nowMs } from '#base/clock.ts';
import { noExtensions } from '#formats/x509/extensions.ts';
import { nameOf } from '#formats/x509/name.ts';
import { clientCertificate, nodeServerCertificate, serverCertificate } from '#pki/certificates.ts';
import { openClusterPki } from '#pki/cluster-pki.ts';
import { newKey } from '#pki/key-file.ts';
import { kubeconfigText } from '#pki/kubeconfig.ts';
import { makeSigningRequest, openSigningRequest } from '#pki/signing-request.ts';

import { command, commandOutput } from '../../kit/command.ts';
import { kubernetesClient } from '../../kit/kubernetes-clients.ts';
import { tempFolder } from '../../kit/temp-root.ts';

describe('OpenSSL takes what we issue', () => {
  test('chains, names and usages', async (t) => {
    const folder = tempFolder(t);
    const pki = await openClusterPki(folder, nowMs());
    const rows = [
      ['sslserver', serverCertificate('kube-apiserver', ['kubernetes.default.svc', '10.96.0.1'])],
      ['sslclient', clientCertificate('jane', ['dev'])],
      ['sslserver', nodeServerCertificate('node-1', ['node-1', 'fd00::1'])],
    ] as const;
    for (const [purpose, order] of rows) {
      const path = join(folder, 'leaf.crt');
      writeFileSync(path, pki.issue(order, nowMs()).certificatePem);
      const verify = ['verify', '-x509_strict', '-purpose', purpose, '-CAfile', join(folder, 'ca.crt'), path];
      assert.equal(await commandOutput('openssl', verify), `${path}: OK`);
      const other = purpose === 'sslserver' ? 'sslclient' : 'sslserver';
      assert.notEqual((await command('openssl', verify.with(3, other))).code, 0);
      for (const host of order.extensions.dnsNames ?? [])
        await commandOutput('openssl', [...verify.slice(0, -1), '-verify_hostname', host, path]);
      for (const address of order.extensions.ipAddresses ?? [])
        await commandOutput('openssl', [...verify.slice(0, -1), '-verify_ip', address, path]);
    }
    const text = await commandOutput('openssl', ['x509', '-in', join(folder, 'ca.crt'), '-noout', '-text']);
    assert.match(text, /Basic Constraints: critical\s+CA:TRUE/);
    assert.match(text, /Key Usage: critical\s+Digital Signature, Key Encipherment, Certificate Sign/);
  });

  test('our requests to it, and its requests to us, of every kind of key', async (t) => {
    const folder = tempFolder(t);
    const path = join(folder, 'ours.csr');
    writeFileSync(path, makeSigningRequest({ subject: nameOf('jane', ['dev']), extensions: noExtensions }, newKey()));
    const ours = ['req', '-in', path, '-verify', '-noout', '-subject'];
    assert.match(await commandOutput('openssl', ours), /O = dev, CN = jane/);
    for (const kind of ['rsa:2048', 'ec', 'ed25519']) {
      const curve = kind === 'ec' ? '-pkeyopt ec_paramgen_curve:P-384 ' : '';
      const args = `req -new -newkey ${kind} ${curve}-nodes -subj /O=dev/CN=jane -addext subjectAltName=DNS:a.b -keyout`;
      const made = await commandOutput('openssl', [...args.split(' '), join(folder, 'key')]);
      const { subject, extensions } = openSigningRequest(made);
      assert.deepEqual([subject, extensions.dnsNames], [nameOf('jane', ['dev']), ['a.b']], kind);
    }
  });
});

test('kubectl reads our kubeconfig', async (t) => {
  const folder = tempFolder(t);
  const pki = await openClusterPki(folder, nowMs());
  const path = join(folder, 'kubeconfig');
  const pair = pki.issue(clientCertificate('kubernetes-admin', ['system:masters']), nowMs());
  const server = 'https://127.0.0.1:1';
  writeFileSync(
    path,
    kubeconfigText({ cluster: 'slipway', user: 'admin', server, authorityPem: pki.authorityPem, pair }),
  );
  const args = ['--kubeconfig', path, 'config', 'view', '--raw', '--minify', '-o'];
  const read = await commandOutput(kubernetesClient('kubectl'), [
    ...args,
    'jsonpath={.clusters[0].cluster.server} {.users[0].user.client-key-data}',
  ]);
  assert.equal(read, `${server} ${Buffer.from(pair.keyPem).toString('base64')}`);
});
