import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { noExtensions } from '#formats/x509/extensions.ts';
import { nameOf } from '#formats/x509/name.ts';
import { MemoryObjects } from '#kit/kube-auth/memory-objects.ts';
import type { CertificateSigningRequest, CertificateSigningRequestStatus } from '#kube/types/gen/certificates-v1.ts';
import { certificatePem, issueCertificate, makeAuthority, publicKeyBytes } from '#pki/authority.ts';
import { newKey } from '#pki/key-file.ts';

import { cleanRequests, isStale } from './certificate-cleaner.ts';

const nowMs = Date.UTC(2026, 5, 1);
const minuteMs = 60_000;
const ago = (minutes: number): string => new Date(nowMs - minutes * minuteMs).toISOString();

function request(minutes: number, status: CertificateSigningRequestStatus = {}, name = 'r'): CertificateSigningRequest {
  const metadata = { name, creationTimestamp: ago(minutes) };
  return { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata, status };
}
const decided = (type: string, minutes: number): CertificateSigningRequestStatus => ({
  conditions: [{ type, status: 'True', lastUpdateTime: ago(minutes) }],
});

describe('requests for certificates', () => {
  const rows: readonly (readonly [string, CertificateSigningRequest, boolean])[] = [
    ['undecided for less than a day', request(23 * 60), false],
    ['undecided for more than a day', request(25 * 60), true],
    ['approved a while ago', request(25 * 60, decided('Approved', 59)), false],
    ['approved long ago', request(25 * 60, decided('Approved', 61)), true],
    ['denied long ago', request(90, decided('Denied', 61)), true],
    ['failed long ago', request(90, decided('Failed', 61)), true],
    ['with something that is no certificate', request(1, { ...decided('Approved', 1), certificate: 'eA==' }), false],
  ];
  for (const [name, one, expected] of rows)
    test(`${name}: ${expected ? 'go' : 'stay'}`, () => {
      assert.equal(isStale(one, nowMs), expected);
    });

  test('whose certificate has expired go', () => {
    const authority = makeAuthority('kubernetes', newKey(), nowMs);
    const wanted = { subject: nameOf('n', []), publicKey: publicKeyBytes(newKey()), extensions: noExtensions };
    const bytes = issueCertificate(authority, { ...wanted, lifetimeMs: 5 * minuteMs }, nowMs);
    const certificate = Buffer.from(certificatePem(bytes)).toString('base64');
    const one = request(1, { ...decided('Approved', 1), certificate });
    assert.ok(!isStale(one, nowMs));
    assert.ok(isStale(one, nowMs + 6 * minuteMs));
  });

  test('are looked through, and the old ones deleted', async () => {
    const objects = new MemoryObjects([request(25 * 60, {}, 'old'), request(1, {}, 'new')]);
    await cleanRequests(objects, nowMs, new AbortController().signal);
    const left = await objects.list({ group: 'certificates.k8s.io', resource: 'certificatesigningrequests' }, '');
    assert.deepEqual(
      left.map(({ metadata }) => metadata.name),
      ['new'],
    );
  });
});
