import {
  damaged,
  objectIdOf,
  partsOf,
  readDer,
  tags,
  writeDer,
  writeObjectId,
  writeSequence,
  writeUnsigned,
  type DerValue,
} from './der.ts';
import { noExtensions, readExtensions, writeExtensions, type Extensions } from './extensions.ts';
import { readName, writeName, type DistinguishedName } from './name.ts';
import { readSigned, type Signed } from './signature.ts';

/** What a PKCS#10 request asks for (RFC 2986). */
export interface RequestFields {
  readonly subject: DistinguishedName;
  /** DER of SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  readonly extensions: Extensions;
}

export interface CertificateRequest extends RequestFields {
  readonly signed: Signed;
}

/** PKCS#9 extensionRequest. */
const extensionRequest = '1.2.840.113549.1.9.14';

/** The bytes to be signed; `writeSigned` adds the signature. */
export function writeRequestBody(fields: RequestFields): Uint8Array {
  const extensions = writeDer(tags.set, writeExtensions(fields.extensions));
  return writeSequence(
    writeUnsigned(Buffer.from([0])),
    writeName(fields.subject),
    fields.publicKey,
    writeDer(0xa0, writeSequence(writeObjectId(extensionRequest), extensions)),
  );
}

/** Reads DER; checks no signature. Throws Damaged. */
export function readRequest(bytes: Uint8Array): CertificateRequest {
  const signed = readSigned(bytes);
  const [version, subject, publicKey, attributes] = partsOf(readDer(signed.body));
  if (version?.tag !== tags.integer || subject === undefined || publicKey === undefined)
    throw damaged('no certificate request');
  return {
    subject: readName(subject),
    publicKey: publicKey.whole,
    extensions: attributes === undefined ? noExtensions : requestedExtensions(attributes),
    signed,
  };
}

function requestedExtensions(attributes: DerValue): Extensions {
  for (const attribute of partsOf(attributes)) {
    const [id, values] = partsOf(attribute);
    if (id === undefined || values === undefined) throw damaged('an attribute is not a pair');
    const list = objectIdOf(id) === extensionRequest ? partsOf(values)[0] : undefined;
    if (list !== undefined) return readExtensions(list);
  }
  return noExtensions;
}
