import assert from 'node:assert/strict';
import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';

import { readRequest, writeRequestBody } from './certificate-request.ts';
import { readCertificate, writeCertificateBody } from './certificate.ts';
import { keyUsages, noExtensions, purposes, type Extensions, type Purpose } from './extensions.ts';
import { commonNameOf, nameOf, nameText, organizationsOf } from './name.ts';
import { certificatesOfPem, readPem, writePem } from './pem.ts';
import { writeSigned } from './signature.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const spki = publicKey.export({ format: 'der', type: 'spki' });
const extensions: Extensions = {
  ...noExtensions,
  keyUsages: ['digital signature', 'key encipherment'],
  purposes: ['server auth', 'client auth'],
  dnsNames: ['kubernetes', '*.example.org'],
  ipAddresses: ['10.96.0.1', 'fd00::1'],
  emails: ['ops@example.org'],
  uris: ['spiffe://cluster/ns/default'],
  subjectKeyId: Buffer.from('0102', 'hex'),
  authorityKeyId: Buffer.from('0304', 'hex'),
};
const fields = {
  serial: Buffer.from('7f01', 'hex'),
  issuer: nameOf('kubernetes'),
  subject: nameOf('jané', ['dev', 'ops']),
  notBeforeMs: Date.UTC(2026, 0, 1),
  notAfterMs: Date.UTC(2056, 0, 1),
  publicKey: spki,
  extensions,
};
const signed = (body: Uint8Array): Uint8Array => writeSigned(body, sign('sha256', body, privateKey));
const certificate = signed(writeCertificateBody(fields));
const request = signed(writeRequestBody(fields));

describe('certificates', () => {
  test('are what was asked for, to us and to OpenSSL', () => {
    const { signed: parts, ...read } = readCertificate(certificate);
    assert.deepEqual(normal(read), normal(fields));
    assert.equal(parts.hash, 'sha256');
    const other = new X509Certificate(certificate);
    assert.equal(other.subject, 'O=dev\nO=ops\nCN=jané');
    assert.equal(other.validTo, 'Jan  1 00:00:00 2056 GMT');
    assert.deepEqual(other.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    assert.equal(other.checkHost('a.example.org'), '*.example.org');
    assert.equal(other.checkIP('fd00::1'), 'fd00::1');
    assert.equal(other.checkEmail('ops@example.org'), 'ops@example.org');
    assert.ok(other.verify(publicKey));
    assert.ok(!other.ca);
  });

  test('any set of usages and purposes comes back', () => {
    fc.assert(
      fc.property(
        fc.subarray([...keyUsages], { minLength: 1 }),
        fc.subarray(Object.keys(purposes) as Purpose[]),
        fc.boolean(),
        (keyUsages, purposes, isAuthority) => {
          const wanted = { ...noExtensions, keyUsages, purposes, isAuthority };
          const bytes = writeSigned(writeCertificateBody({ ...fields, extensions: wanted }), Buffer.alloc(8));
          assert.deepEqual(readCertificate(bytes).extensions, wanted);
        },
      ),
    );
  });

  test('names', () => {
    assert.equal(commonNameOf(fields.subject), 'jané');
    assert.deepEqual(organizationsOf(fields.subject), ['dev', 'ops']);
    assert.equal(nameText([...fields.subject, { type: '1.2.3', value: 'x' }]), 'O=dev,O=ops,CN=jané,1.2.3=x');
    assert.equal(commonNameOf([]), '');
  });
});

test('requests are what was asked for', () => {
  const { signed: parts, ...read } = readRequest(request);
  assert.deepEqual(normal(read), normal({ subject: fields.subject, publicKey: spki, extensions }));
  assert.equal(parts.hash, 'sha256');
});

test('mutated bytes are read or refused as damaged', () => {
  for (const [bytes, read] of [
    [certificate, readCertificate],
    [request, readRequest],
  ] as const) {
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(bytes.length), (changes, length) => {
        const mutated = Buffer.from(bytes);
        for (const [at, value] of changes) mutated[at] = value;
        for (const one of [mutated, mutated.subarray(0, length)]) {
          try {
            read(one);
          } catch (error) {
            assert.ok(error instanceof StatusError && error.reason === 'Damaged', String(error));
          }
        }
      }),
      { numRuns: 1000 },
    );
  }
});

describe('PEM', () => {
  test('blocks come back, and what is between them does not matter', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 4 }), (all) => {
        const text = all.map((bytes) => `some words\n${writePem('CERTIFICATE', bytes)}`).join('\n');
        assert.deepEqual(
          certificatesOfPem(text).map((bytes) => Buffer.from(bytes)),
          all.map((bytes) => Buffer.from(bytes)),
        );
      }),
    );
  });

  test('what is cut off or no base64 is no block', () => {
    assert.deepEqual(readPem('-----BEGIN X-----\nAAAA\n'), []);
    assert.deepEqual(readPem('-----BEGIN X-----\n!!!\n-----END X-----\n'), []);
    fc.assert(fc.property(fc.string(), (text) => assert.deepEqual(readPem(text), [])));
  });
});

/** Buffers of all kinds as hex, so that they compare. */
function normal(value: object): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, inner: unknown) => (inner instanceof Uint8Array ? Buffer.from(inner) : inner)),
  );
}
