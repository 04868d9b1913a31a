import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { readCertificate } from '#formats/x509/certificate.ts';
import { noExtensions, type Extensions } from '#formats/x509/extensions.ts';
import { commonNameOf, nameOf } from '#formats/x509/name.ts';
import { certificatesOfPem } from '#formats/x509/pem.ts';
import { eventually } from '#kit/eventually.ts';
import { MemoryObjects } from '#kit/kube-auth/memory-objects.ts';
import type { Resource } from '#kube/resource.ts';
import type { CertificateSigningRequest } from '#kube/types/gen/certificates-v1.ts';
import { isIssuedBy, makeAuthority } from '#pki/authority.ts';
import { newKey } from '#pki/key-file.ts';
import { makeSigningRequest } from '#pki/signing-request.ts';

import type { Authorizer } from '../auth/authorizer.ts';
import { afterApproval, afterSigning } from './certificate-signer.ts';
import { openSecurity } from './open-security.ts';

const nowMs = Date.UTC(2026, 5, 1);
const authority = makeAuthority('kubernetes', newKey(), nowMs);
const clock = { nowMs: (): number => nowMs };

interface Asked {
  readonly signer?: string;
  readonly commonName?: string;
  readonly groups?: readonly string[];
  readonly extensions?: Partial<Extensions>;
  readonly usages?: string[];
  readonly conditions?: readonly string[];
  readonly username?: string;
}

function csr(asked: Asked): CertificateSigningRequest {
  const { signer = 'kube-apiserver-client-kubelet', commonName = 'system:node:n', groups = ['system:nodes'] } = asked;
  const fields = { subject: nameOf(commonName, groups), extensions: { ...noExtensions, ...asked.extensions } };
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: 'c' },
    spec: {
      signerName: `kubernetes.io/${signer}`,
      username: asked.username ?? commonName,
      groups: ['system:nodes'],
      usages: asked.usages ?? ['digital signature', 'client auth'],
      request: Buffer.from(makeSigningRequest(fields, newKey())).toString('base64'),
      expirationSeconds: 3600,
    },
    status: { conditions: (asked.conditions ?? []).map((type) => ({ type, status: 'True' })) },
  };
}

describe('certificates that are asked for', () => {
  const approve = (asked: Asked, allowed: string): string | undefined => {
    const authorizer: Authorizer = {
      authorize: (what) => ({
        verdict: what.type === 'resource' && what.subresource === allowed ? 'allow' : 'no-opinion',
        reason: '',
      }),
    };
    return afterApproval(csr(asked), { authorizer, ...clock })?.status?.conditions?.[0]?.reason;
  };

  test('nodes get approval for themselves, and for others who may have it', () => {
    assert.equal(approve({}, 'selfnodeclient'), 'AutoApproved');
    assert.equal(approve({ username: 'system:bootstrap:abcdef' }, 'selfnodeclient'), undefined);
    assert.equal(approve({ username: 'system:bootstrap:abcdef' }, 'nodeclient'), 'AutoApproved');
    assert.equal(approve({}, ''), undefined);
    for (const asked of [{ groups: ['dev'] }, { signer: 'kube-apiserver-client' }, { conditions: ['Denied'] }])
      assert.equal(approve(asked, 'nodeclient'), undefined);
  });

  const sign = (asked: Asked): CertificateSigningRequest | undefined =>
    afterSigning(csr({ conditions: ['Approved'], ...asked }), { authority, ...clock });

  test('what is approved is signed, for as long as was asked', () => {
    const text = sign({
      signer: 'kubelet-serving',
      usages: ['digital signature', 'server auth'],
      extensions: { dnsNames: ['n'], ipAddresses: ['10.0.0.1'] },
    });
    const [bytes] = certificatesOfPem(Buffer.from(text?.status?.certificate ?? '', 'base64').toString());
    const certificate = readCertificate(bytes ?? assert.fail());
    assert.equal(commonNameOf(certificate.subject), 'system:node:n');
    assert.deepEqual(certificate.extensions.purposes, ['server auth']);
    assert.deepEqual([certificate.extensions.dnsNames, certificate.extensions.ipAddresses], [['n'], ['10.0.0.1']]);
    assert.equal(certificate.notAfterMs, nowMs + 3_600_000);
    assert.ok(isIssuedBy(bytes ?? assert.fail(), authority.certificate, nowMs));
  });

  test('what a signer does not sign fails with the reason; what is not ready waits', () => {
    const reason = (asked: Asked): string | undefined => sign(asked)?.status?.conditions?.at(-1)?.message;
    assert.equal(reason({ groups: ['dev'] }), 'subject organization is not system:nodes');
    assert.match(reason({ commonName: 'jane' }) ?? '', /does not begin with system:node:/);
    assert.equal(reason({ extensions: { dnsNames: ['n'] } }), 'DNS subjectAltNames are not allowed');
    assert.equal(reason({ usages: ['client auth'] }), 'usages must have "digital signature" and "client auth"');
    assert.equal(
      reason({ usages: ['digital signature', 'client auth', 'server auth'] }),
      'usage "server auth" is not allowed',
    );
    const serving = { signer: 'kubelet-serving', usages: ['digital signature', 'server auth'] };
    assert.equal(reason(serving), 'DNS or IP subjectAltName is required');
    assert.equal(reason({ ...serving, extensions: { uris: ['a:b'] } }), 'URI subjectAltNames are not allowed');
    const client = { signer: 'kube-apiserver-client', usages: ['client auth'] };
    assert.match(reason({ ...client, groups: ['system:masters'] }) ?? '', /system:masters/);
    assert.equal(reason(client), undefined, 'clients need no digital signatures');
    assert.equal(reason({ ...client, usages: ['digital signature'] }), 'usages must have "client auth"');
    const broken = { ...csr({ conditions: ['Approved'] }) };
    broken.spec = { ...broken.spec, request: 'AAAA' };
    assert.match(
      afterSigning(broken, { authority, ...clock })?.status?.conditions?.at(-1)?.message ?? '',
      /PEM block type/,
    );
    for (const conditions of [[], ['Approved', 'Denied'], ['Approved', 'Failed']])
      assert.equal(sign({ conditions }), undefined);
    assert.equal(sign({ signer: 'other' }), undefined);
  });
});

test('all together: namespaces get their account, nodes their certificate', async (t) => {
  const controller = new AbortController();
  t.after(() => controller.abort());
  const namespace = (name: string, phase = 'Active'): Resource => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
    status: { phase },
  });
  const objects = new MemoryObjects([
    namespace('default'),
    namespace('kube-system'),
    namespace('going', 'Terminating'),
  ]);
  const pki = { authority, authorityPem: 'PEM', serviceAccountKey: newKey() };
  const onError = (error: unknown): void => assert.fail(String(error));
  const { plugins } = await openSecurity(
    { objects, pki, serverUrl: 'https://x', resolveKind: () => undefined, onError, ...clock },
    controller.signal,
  );
  assert.ok(plugins.length > 10);
  const account = { group: '', resource: 'serviceaccounts' };
  const bundle = { group: '', resource: 'configmaps' };
  assert.ok((await objects.get(account, 'kube-system', 'default')) !== undefined);
  assert.ok(
    (await objects.get({ group: 'scheduling.k8s.io', resource: 'priorityclasses' }, '', 'system-node-critical')) !==
      undefined,
  );
  objects.put(namespace('new'));
  const dataOf = async (): Promise<unknown> => (await objects.get(bundle, 'new', 'kube-root-ca.crt'))?.['data'];
  await eventually('the new namespace has its account', async () => await objects.get(account, 'new', 'default'));
  await eventually('and the certificate', async () => (await dataOf()) !== undefined);
  objects.remove(account, 'new', 'default');
  await eventually('what was removed comes back', async () => await objects.get(account, 'new', 'default'));
  const stored = await objects.get(bundle, 'new', 'kube-root-ca.crt');
  objects.put({ ...(stored ?? assert.fail()), data: { 'ca.crt': 'forged' } });
  await eventually('what was forged is mended', async () => JSON.stringify(await dataOf()) === '{"ca.crt":"PEM"}');
  assert.equal(await objects.get(account, 'going', 'default'), undefined);
  objects.put(csr({ conditions: ['Approved'] }));
  const requests = { group: 'certificates.k8s.io', resource: 'certificatesigningrequests' };
  await eventually('the request is signed', async () => {
    const found: CertificateSigningRequest | undefined = await objects.get(requests, '', 'c');
    return found?.status?.certificate;
  });
});
