import { StatusError } from '#base/errors.ts';

import type { Body } from './call.ts';
import { decodeJson } from './decode.ts';

/** The largest JSON body that is read. */
const maximumJsonBytes = 4 * 1024 * 1024;

/** A request's body over its bytes. */
export function requestBody(bytes: AsyncIterable<Uint8Array>, contentType: string): Body {
  return {
    bytes,
    async json(decoder) {
      const whole = await readAll(bytes, maximumJsonBytes);
      // Old clients send null for an object without fields, which Go's decoder takes for one.
      if (whole.length === 0 || isNull(whole)) return decoder({}, '');
      checkContentType(contentType);
      return decodeJson(whole, decoder);
    },
  };
}

function isNull(bytes: Uint8Array): boolean {
  return bytes.length < 16 && Buffer.from(bytes).toString().trim() === 'null';
}

/** Reads to the end; throws TooLarge beyond `limitBytes`. */
async function readAll(bytes: AsyncIterable<Uint8Array>, limitBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    length += chunk.length;
    if (length > limitBytes) {
      const limit = `${String(limitBytes)} bytes`;
      throw new StatusError('TooLarge', `Cannot read the request body: it is larger than ${limit}; send less`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

function checkContentType(contentType: string): void {
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type === 'application/json') return;
  throw new StatusError(
    'InvalidArgument',
    `unsupported Content-Type header (${contentType}): must be 'application/json'`,
  );
}
