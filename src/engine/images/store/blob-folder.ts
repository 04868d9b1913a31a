import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { hexOf } from '#formats/oci.ts';
import type { Digest } from '#formats/oci.ts';
import { makeFolderDurably, removeDurably, removeTemporaries, writeDurably } from '#sys/durable-file.ts';
import { hasCode } from '#sys/errno.ts';
import { digestOf } from './chain.ts';

/** Small content-addressed files: configurations and manifests. Each read checks the digest. */
export class BlobFolder {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async open(): Promise<void> {
    await makeFolderDurably(this.#path);
    await removeTemporaries(this.#path);
  }

  async put(bytes: Uint8Array): Promise<Digest> {
    const digest = digestOf(bytes);
    await writeDurably(this.#pathOf(digest), bytes);
    return digest;
  }

  /** Undefined when it is not there; throws Damaged when the bytes are not those of the digest. */
  async get(digest: Digest): Promise<Uint8Array | undefined> {
    let bytes: Uint8Array;
    try {
      bytes = await readFile(this.#pathOf(digest));
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
    if (digestOf(bytes) === digest) return bytes;
    throw new StatusError(
      'Damaged',
      `Cannot read ${digest}: the stored bytes have another digest; pull the image again`,
    );
  }

  async remove(digest: Digest): Promise<void> {
    await removeDurably(this.#pathOf(digest));
  }

  /** Deletes what no record names, such as the blob of a record that a crash kept from being written. */
  async keepOnly(digests: ReadonlySet<Digest>): Promise<void> {
    for (const hex of await readdir(this.#path)) {
      if (!digests.has(`sha256:${hex}`)) await removeDurably(join(this.#path, hex));
    }
  }

  #pathOf(digest: Digest): string {
    return join(this.#path, hexOf(digest));
  }
}
