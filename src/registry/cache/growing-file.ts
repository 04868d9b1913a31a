import { closeSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

import { hasCode } from '#sys/errno.ts';

const chunkBytes = 262_144;

/** A file of known size that is being written, and read by others meanwhile as far as it has come. */
export class GrowingFile {
  readonly sizeBytes: number;
  #path: string;
  #writtenBytes = 0;
  #failure: unknown;
  #change = Promise.withResolvers<void>();

  constructor(path: string, sizeBytes: number) {
    this.#path = path;
    this.sizeBytes = sizeBytes;
    closeSync(openSync(path, 'wx', 0o600));
  }

  get path(): string {
    return this.#path;
  }

  /**
   * So much is there; a writer that begins anew writes the same bytes again. The last byte is held back until the whole is
   * known to be right, so that no reader takes something wrong for complete.
   */
  grow(writtenBytes: number): void {
    this.#writtenBytes = Math.max(this.#writtenBytes, Math.min(writtenBytes, this.sizeBytes - 1));
    this.#wake();
  }

  fail(error: unknown): void {
    this.#failure = error ?? new Error('the file is not complete');
    this.#wake();
  }

  /** The whole file is right, and now elsewhere; readers that have it open read on. */
  movedTo(path: string): void {
    this.#path = path;
    this.#writtenBytes = this.sizeBytes;
    this.#wake();
  }

  /** The bytes from `start` to `end`, both included, as they come. Throws when the writer fails. */
  async *read(start: number, end: number): AsyncGenerator<Uint8Array, void, undefined> {
    await using file = await this.#open();
    for (let at = start; at <= end;) {
      if (this.#failure !== undefined) throw this.#failure;
      const readable = Math.min(this.#writtenBytes, end + 1) - at;
      if (readable <= 0) {
        await this.#change.promise;
        continue;
      }
      const length = Math.min(readable, chunkBytes);
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, at);
      if (bytesRead === 0) throw new Error('the download began anew; ask for the rest again');
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  async #open(): Promise<FileHandle> {
    for (;;) {
      const path = this.#path;
      try {
        return await open(path, 'r');
      } catch (error) {
        if (this.#failure !== undefined) throw this.#failure;
        if (!hasCode(error, 'ENOENT')) throw error;
        // Between the move and its announcement.
        if (this.#path === path) await this.#change.promise;
      }
    }
  }

  #wake(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}
