import { createPublicKey, sign, verify, type KeyObject } from 'node:crypto';

import { StatusError } from '#base/errors.ts';
import {
  readRequest,
  writeRequestBody,
  type CertificateRequest,
  type RequestFields,
} from '#formats/x509/certificate-request.ts';
import { readPem, writePem } from '#formats/x509/pem.ts';
import { writeSigned } from '#formats/x509/signature.ts';

import { publicKeyBytes } from './authority.ts';

/** PEM of a request that proves the key. */
export function makeSigningRequest(fields: Omit<RequestFields, 'publicKey'>, key: KeyObject): string {
  const body = writeRequestBody({ ...fields, publicKey: publicKeyBytes(key) });
  return writePem('CERTIFICATE REQUEST', writeSigned(body, sign('sha256', body, key)));
}

/** The request in a PEM text, whose signature was checked. Throws InvalidArgument or Damaged. */
export function openSigningRequest(pem: string): CertificateRequest {
  const [block, ...more] = readPem(pem);
  if (block === undefined || more.length > 0 || !/^(NEW )?CERTIFICATE REQUEST$/.test(block.label))
    throw new StatusError('InvalidArgument', 'PEM block type must be CERTIFICATE REQUEST');
  const request = readRequest(block.bytes);
  if (!proves(request))
    throw new StatusError('InvalidArgument', 'the request is not signed with the key that it names');
  return request;
}

function proves({ publicKey, signed }: CertificateRequest): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
    return verify(signed.hash, signed.body, key, signed.signature);
  } catch {
    // A key that OpenSSL does not take proves nothing.
    return false;
  }
}
