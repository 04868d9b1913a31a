import { createHash } from 'node:crypto';

import { StatusError } from '#base/errors.ts';
import type { ContentStore } from '#engine/images/content-store.ts';
import type { Digest } from '#formats/oci.ts';

import { chunked, collect } from './image-room.ts';

/** Blobs of somebody else, in memory. */
export class MemoryStore implements ContentStore {
  readonly blobs = new Map<Digest, Buffer>();
  writes = 0;

  async sizeOf(digest: Digest): Promise<number | undefined> {
    return await Promise.resolve(this.blobs.get(digest)?.length);
  }

  async *read(digest: Digest): AsyncGenerator<Uint8Array, void, undefined> {
    const bytes = this.blobs.get(digest);
    if (bytes === undefined) throw new StatusError('NotFound', `content ${digest}: not found`);
    yield* chunked(bytes);
  }

  async write(source: AsyncIterable<Uint8Array>): ReturnType<ContentStore['write']> {
    this.writes += 1;
    const bytes = await collect(source);
    const digest: Digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    this.blobs.set(digest, bytes);
    return { digest, sizeBytes: bytes.length };
  }
}
