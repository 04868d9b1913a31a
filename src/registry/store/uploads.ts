import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

import { monotonicMs } from '#base/clock.ts';
import { newId } from '#base/ids.ts';
import type { Digest } from '#formats/oci.ts';
import { RegistryError } from '../registry-error.ts';

const uploadsMost = 256;
/** An upload that nobody writes to for so long is given up when room is needed. */
const idleMostMs = 60 * 60_000;
/** Bytes of one blob. */
const blobBytesMost = 64 * 1024 ** 3;

/** A blob that is being sent, in as many pieces as its sender likes. */
export interface Upload {
  readonly id: string;
  readonly repository: string;
  readonly path: string;
  readonly sizeBytes: number;
}

interface Open extends Upload {
  readonly file: FileHandle;
  readonly hash: Hash;
  sizeBytes: number;
  touchedMs: number;
  busy: boolean;
}

/** Uploads under way. They do not survive the daemon: their senders begin anew, as for any that broke. */
export class Uploads implements AsyncDisposable {
  readonly #folder: string;
  readonly #open = new Map<string, Open>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  get count(): number {
    return this.#open.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const upload of this.#open.values()) await this.#close(upload);
  }

  /** Throws RegistryError TOOMANYREQUESTS. */
  async begin(repository: string): Promise<Upload> {
    await this.#dropIdle();
    if (this.#open.size >= uploadsMost) {
      throw new RegistryError('TOOMANYREQUESTS', `more than ${String(uploadsMost)} uploads are under way`);
    }
    const id = newId();
    const path = join(this.#folder, id);
    const file = await open(path, 'wx', 0o600);
    const upload = { id, repository, path, file, hash: createHash('sha256'), sizeBytes: 0 };
    this.#open.set(id, { ...upload, touchedMs: monotonicMs(), busy: false });
    return upload;
  }

  /** Throws RegistryError BLOB_UPLOAD_UNKNOWN. */
  get(repository: string, id: string): Upload {
    return this.#get(repository, id);
  }

  /** Writes a piece that begins at `start`, or wherever the upload is. Throws RegistryError. */
  async append(
    repository: string,
    id: string,
    start: number | undefined,
    body: AsyncIterable<Uint8Array>,
  ): Promise<Upload> {
    const upload = this.#get(repository, id);
    if (upload.busy) throw new RegistryError('BLOB_UPLOAD_INVALID', 'another piece of this upload is being received');
    if (start !== undefined && start !== upload.sizeBytes) {
      throw new RegistryError('RANGE_INVALID', `the next byte is ${String(upload.sizeBytes)}`);
    }
    upload.busy = true;
    try {
      for await (const chunk of body) {
        if (upload.sizeBytes + chunk.length > blobBytesMost) {
          throw new RegistryError('SIZE_INVALID', `a blob has at most ${String(blobBytesMost)} bytes`);
        }
        await writeAll(upload.file, chunk);
        upload.hash.update(chunk);
        upload.sizeBytes += chunk.length;
        upload.touchedMs = monotonicMs();
      }
    } finally {
      upload.busy = false;
    }
    return upload;
  }

  /** Ends an upload whose bytes are those of `digest`, and leaves its file to the caller. Throws RegistryError. */
  async finish(repository: string, id: string, digest: Digest): Promise<Upload> {
    const upload = this.#get(repository, id);
    const found = `sha256:${upload.hash.copy().digest('hex')}`;
    if (found !== digest) throw new RegistryError('DIGEST_INVALID', `the bytes that came have ${found}`);
    this.#open.delete(id);
    await upload.file.close();
    return upload;
  }

  async cancel(repository: string, id: string): Promise<void> {
    await this.#close(this.#get(repository, id));
  }

  #get(repository: string, id: string): Open {
    const upload = this.#open.get(id);
    if (upload?.repository === repository) return upload;
    throw new RegistryError('BLOB_UPLOAD_UNKNOWN', 'there is no such upload; begin another');
  }

  async #dropIdle(): Promise<void> {
    const now = monotonicMs();
    for (const upload of this.#open.values()) {
      if (!upload.busy && now - upload.touchedMs > idleMostMs) await this.#close(upload);
    }
  }

  async #close(upload: Open): Promise<void> {
    this.#open.delete(upload.id);
    await upload.file.close();
    await rm(upload.path, { force: true });
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length;) at += (await file.write(chunk, at)).bytesWritten;
}
