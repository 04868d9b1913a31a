import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { readCertificate } from '#formats/x509/certificate.ts';
import { noExtensions } from '#formats/x509/extensions.ts';
import { commonNameOf, nameOf, organizationsOf } from '#formats/x509/name.ts';
import { certificatesOfPem } from '#formats/x509/pem.ts';
import { tempFolder } from '#kit/temp-root.ts';

import { isIssuedBy, issueCertificate } from './authority.ts';
import { certificateStatus } from './certificate-status.ts';
import { clientCertificate, leafLifetimeMs, nodeClientCertificate, serverCertificate } from './certificates.ts';
import { openClusterPki } from './cluster-pki.ts';
import { newKey } from './key-file.ts';
import { kubeconfigText } from './kubeconfig.ts';
import { openRotatingCertificate, type RotatingOptions } from './rotating-certificate.ts';
import { makeSigningRequest, openSigningRequest } from './signing-request.ts';

const nowMs = Date.UTC(2026, 5, 1);
const dayMs = 86_400_000;
const der = (pem: string): Uint8Array => certificatesOfPem(pem)[0] ?? assert.fail('no certificate');

describe('the keys of a cluster', () => {
  test('are made once, readable by their owner alone', async (t) => {
    const folder = join(tempFolder(t), 'pki');
    const first = await openClusterPki(folder, nowMs);
    const second = await openClusterPki(folder, nowMs + dayMs);
    assert.equal(first.authorityPem, second.authorityPem);
    assert.equal(first.frontProxyPem, second.frontProxyPem);
    assert.ok(first.serviceAccountKey.equals(second.serviceAccountKey));
    const names = ['ca.crt', 'ca.key', 'front-proxy-ca.crt', 'front-proxy-ca.key', 'sa.key', 'sa.pub'];
    assert.deepEqual(readdirSync(folder).toSorted(), names);
    for (const name of names.filter((one) => one.endsWith('.key')))
      assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600);
    const publicKey = createPublicKey(readFileSync(join(folder, 'sa.pub'), 'utf8'));
    assert.ok(publicKey.equals(createPublicKey(first.serviceAccountKey)));
  });

  test('a start that was interrupted after the key is completed with that key', async (t) => {
    const folder = tempFolder(t);
    const { authority } = await openClusterPki(folder, nowMs);
    rmSync(join(folder, 'ca.crt'));
    const again = await openClusterPki(folder, nowMs);
    assert.ok(again.authority.key.equals(authority.key));
    assert.notEqual(Buffer.compare(again.authority.certificate, authority.certificate), 0);
  });

  test('a certificate of another key, and a file that is no key, are named', async (t) => {
    const folder = tempFolder(t);
    await openClusterPki(folder, nowMs);
    writeFileSync(join(folder, 'ca.crt'), readFileSync(join(folder, 'front-proxy-ca.crt')));
    await assert.rejects(openClusterPki(folder, nowMs), /ca\.crt": it does not belong to ca\.key/);
    writeFileSync(join(folder, 'ca.key'), 'nonsense');
    await assert.rejects(openClusterPki(folder, nowMs), /ca\.key": it is no key in PEM/);
  });
});

describe('certificates of the cluster', () => {
  test('servers have their names, users their groups', async (t) => {
    const pki = await openClusterPki(tempFolder(t), nowMs);
    const server = pki.issue(serverCertificate('kube-apiserver', ['kubernetes', '10.96.0.1', '::1']), nowMs);
    const client = readCertificate(der(pki.issue(clientCertificate('jane', ['dev', 'ops']), nowMs).certificatePem));
    const { extensions } = readCertificate(der(server.certificatePem));
    assert.deepEqual(extensions.dnsNames, ['kubernetes']);
    assert.deepEqual(extensions.ipAddresses, ['10.96.0.1', '::1']);
    assert.deepEqual(extensions.purposes, ['server auth']);
    assert.equal(commonNameOf(client.subject), 'jane');
    assert.deepEqual(organizationsOf(client.subject), ['dev', 'ops']);
    assert.deepEqual(client.extensions.purposes, ['client auth']);
    assert.ok(new X509Certificate(der(server.certificatePem)).checkPrivateKey(createPrivateKey(server.keyPem)));
    assert.ok(isIssuedBy(der(server.certificatePem), pki.authority.certificate, nowMs));
    assert.ok(!isIssuedBy(der(server.certificatePem), pki.frontProxy.certificate, nowMs));
    assert.ok(!isIssuedBy(der(server.certificatePem), pki.authority.certificate, nowMs + 2 * leafLifetimeMs));
  });

  test('a clock that cannot be right, or is behind elsewhere, does not matter', async (t) => {
    const pki = await openClusterPki(tempFolder(t), 0);
    const { certificatePem } = pki.issue(nodeClientCertificate('a'), 5_000);
    for (const atMs of [Date.UTC(2026, 0, 1) - dayMs / 2, Date.UTC(2026, 6, 1)])
      assert.ok(isIssuedBy(der(certificatePem), pki.authority.certificate, atMs));
  });

  test('none outlives its authority', async (t) => {
    const { authority } = await openClusterPki(tempFolder(t), nowMs);
    const wanted = { subject: nameOf('x'), extensions: {}, lifetimeMs: 100 * 365 * dayMs };
    const { publicKey } = readCertificate(authority.certificate);
    const { notAfterMs } = readCertificate(issueCertificate(authority, { ...wanted, publicKey }, nowMs));
    assert.equal(notAfterMs, readCertificate(authority.certificate).notAfterMs);
  });
});

describe('signing requests', () => {
  const key = newKey();
  const fields = { subject: nameOf('jane', ['dev']), extensions: { ...noExtensions, dnsNames: ['a.b'] } };

  test('tell the subject and prove the key', () => {
    const request = openSigningRequest(makeSigningRequest(fields, key));
    assert.equal(commonNameOf(request.subject), 'jane');
    assert.deepEqual(request.extensions.dnsNames, ['a.b']);
  });

  test('are refused when the key is not proven, or there is no request', () => {
    const other = makeSigningRequest(fields, newKey());
    const bytes = Buffer.from(other.replaceAll(/-----.*-----|\s/g, ''), 'base64');
    const at = bytes.indexOf('jane');
    bytes[at] = 'k'.charCodeAt(0);
    const forged = other.replace(/(?<=REQUEST-----\n)[^-]*/, `${bytes.toString('base64')}\n`);
    assert.throws(() => openSigningRequest(forged), /not signed with the key that it names/);
    assert.throws(() => openSigningRequest(''), /PEM block type must be CERTIFICATE REQUEST/);
    assert.throws(() => openSigningRequest(other + other), /PEM block type/);
  });
});

describe('a rotating certificate', () => {
  const failed = (error: unknown): void => assert.fail(String(error));
  const options = async (folder: string, clock: { nowMs: number }): Promise<RotatingOptions> => {
    const pki = await openClusterPki(folder, nowMs);
    return {
      folder,
      name: 'apiserver',
      authority: pki.authority.certificate,
      alternativeNames: ['kubernetes', '127.0.0.1'],
      issue: (nowMs) => pki.issue(serverCertificate('kube-apiserver', ['kubernetes', '127.0.0.1']), nowMs),
      nowMs: () => clock.nowMs,
    };
  };

  test('is kept over a restart, and renewed in its last third or when the clock leaves it', async (t) => {
    const clock = { nowMs };
    const given = await options(tempFolder(t), clock);
    using first = await openRotatingCertificate(given, failed);
    using second = await openRotatingCertificate(given, failed);
    assert.deepEqual(second.current(), first.current());
    assert.equal(await first.check(), false);
    const told: string[] = [];
    using _ = first.onChange((pair) => void told.push(pair.certificatePem));
    for (const atMs of [nowMs + leafLifetimeMs * 0.7, nowMs + 5 * leafLifetimeMs, nowMs]) {
      clock.nowMs = atMs;
      assert.equal(await first.check(), true);
      assert.equal(certificateStatus(first.current().certificatePem, atMs)?.state, 'valid');
      assert.equal(told.at(-1), first.current().certificatePem);
    }
    assert.equal(told.length, 3);
  });

  test('is made anew when names are missing, files are torn or the authority is another', async (t) => {
    const folder = tempFolder(t);
    const given = await options(folder, { nowMs });
    const now = async (from: RotatingOptions): Promise<string> => {
      using one = await openRotatingCertificate(from, failed);
      return one.current().certificatePem;
    };
    const seen = [await now(given)];
    seen.push(await now({ ...given, alternativeNames: ['10.0.0.1'] }));
    writeFileSync(join(folder, 'apiserver.crt'), 'torn');
    seen.push(await now(given));
    writeFileSync(join(folder, 'apiserver.key'), newKey().export({ format: 'pem', type: 'sec1' }));
    seen.push(await now(given));
    seen.push(await now({ ...given, authority: (await openClusterPki(folder, nowMs)).frontProxy.certificate }));
    assert.equal(new Set(seen).size, seen.length);
  });
});

test('the state of a certificate over its life', async (t) => {
  const pki = await openClusterPki(tempFolder(t), nowMs);
  const { certificatePem } = pki.issue(clientCertificate('jane', ['dev']), nowMs);
  const at = (days: number): string | undefined => certificateStatus(certificatePem, nowMs + days * dayMs)?.state;
  assert.deepEqual([-2, 0, 200, 300, 400].map(at), ['not yet valid', 'valid', 'valid', 'due', 'expired']);
  assert.equal(certificateStatus(certificatePem, nowMs)?.subject, 'O=dev,CN=jane');
  assert.equal(certificateStatus('', nowMs), undefined);
});

test('a kubeconfig is YAML with all in it', () => {
  const pair = { certificatePem: 'CERT', keyPem: 'KEY' };
  const text = kubeconfigText({
    cluster: 'a: b',
    user: 'admin',
    server: 'https://[::1]:6443',
    authorityPem: 'CA',
    pair,
  });
  assert.match(text, /^    server: "https:\/\/\[::1\]:6443"$/m);
  assert.match(text, /^current-context: "admin@a: b"$/m);
  assert.match(text, /^    client-key-data: S0VZ$/m);
});
