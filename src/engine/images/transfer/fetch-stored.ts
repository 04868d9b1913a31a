import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';

import { StatusError } from '#base/errors.ts';
import type { Descriptor, Digest } from '#formats/oci.ts';
import type { ContentStore } from '../content-store.ts';
import { inTurn } from '../in-turn.ts';
import type { Room } from '../room.ts';
import { digestOf } from '../store/chain.ts';
import type { ProgressLine } from './progress-lines.ts';

/** Manifests and documents from a store. */
const documentBytesMost = 8 * 1024 * 1024;

/** The whole of a small blob. Throws Damaged for other bytes than its digest says, TooLarge. */
export async function readStored(store: ContentStore, digest: Digest, signal: AbortSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of store.read(digest, signal)) {
    sizeBytes += chunk.length;
    if (sizeBytes > documentBytesMost)
      throw new StatusError('TooLarge', `Cannot read ${digest}: it has more than ${String(documentBytesMost)} bytes`);
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (digestOf(bytes) === digest) return bytes;
  throw new StatusError('Damaged', `Cannot read ${digest}: the bytes that are kept of it have ${digestOf(bytes)}`);
}

/** Makes a blob of a store be in the cache, which the caller has told to hold it. Throws Damaged. */
export async function fetchStored(
  { blobs }: Pick<Room, 'blobs'>,
  store: ContentStore,
  descriptor: Descriptor,
  line: ProgressLine,
  signal: AbortSignal,
): Promise<void> {
  const { digest } = descriptor;
  const fetch = async (): Promise<void> => {
    if (blobs.has(digest)) return await blobs.touch(digest);
    const part = blobs.partPathOf(digest);
    try {
      await copy(store, descriptor, part, line, signal);
      await blobs.adopt(digest, part);
    } finally {
      await rm(part, { force: true });
    }
  };
  await inTurn((work) => blobs.exclusively(digest, work), fetch, signal);
}

async function copy(
  store: ContentStore,
  { digest, size }: Descriptor,
  path: string,
  line: ProgressLine,
  signal: AbortSignal,
): Promise<void> {
  await using file = await open(path, 'w', 0o600);
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of store.read(digest, signal)) {
    sizeBytes += chunk.length;
    if (sizeBytes > size) break;
    hash.update(chunk);
    await file.appendFile(chunk);
    line.count('Downloading', sizeBytes, size);
  }
  if (sizeBytes === size && `sha256:${hash.digest('hex')}` === digest) return;
  throw new StatusError('Damaged', `Cannot read the layer ${digest}: other bytes are kept under its name`);
}
