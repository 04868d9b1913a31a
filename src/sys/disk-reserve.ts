import { rmSync, statSync, writeFileSync } from 'node:fs';

import { isDiskFull } from '#base/errors.ts';

/**
 * A file that takes room on a disk, to be given back when that is full: what is written then and replaces something as large
 * needs it for a moment only. On a filesystem that compresses zeros it holds nothing.
 */
export class DiskReserve {
  readonly #path: string;
  readonly #sizeBytes: number;

  constructor(path: string, sizeBytes: number) {
    this.#path = path;
    this.#sizeBytes = sizeBytes;
  }

  /** Takes the room, unless it is taken or the disk has none. */
  take(): void {
    if (statSync(this.#path, { throwIfNoEntry: false })?.size === this.#sizeBytes) return;
    try {
      writeFileSync(this.#path, Buffer.alloc(this.#sizeBytes), { mode: 0o600 });
    } catch (error) {
      rmSync(this.#path, { force: true });
      if (!isDiskFull(error)) throw error;
    }
  }

  give(): void {
    rmSync(this.#path, { force: true });
  }
}
