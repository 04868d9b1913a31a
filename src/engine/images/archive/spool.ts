import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';

import { StatusError } from '#base/errors.ts';
import type { Digest } from '#formats/oci.ts';
import { readTar } from '#formats/tar/read-tar.ts';
import type { TarMember } from '#formats/tar/read-tar.ts';

/** A file of an archive, kept on disk under a name of our own. */
export interface SpooledFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly digest: Digest;
}

const membersMost = 16_384;
/** Bytes of all files of an archive together. */
const archiveBytesMost = 64 * 1024 ** 3;
const linkDepthMost = 8;

/**
 * The files of an image archive, by their paths in it. Names from the archive never reach the filesystem; links are
 * followed within the archive only.
 */
export class Spool {
  readonly #folder: string;
  readonly #files = new Map<string, SpooledFile>();
  readonly #links = new Map<string, string>();
  #bytes = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Reads a whole archive. Throws Damaged, InvalidArgument for what an image archive does not hold, TooLarge. */
  async fill(tar: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    let members = 0;
    for await (const member of readTar(tar)) {
      signal.throwIfAborted();
      members += 1;
      if (members > membersMost) throw tooLarge(`more than ${String(membersMost)} members`);
      await this.#take(member, signal);
    }
  }

  find(path: string): SpooledFile | undefined {
    let current = innerPath(path);
    for (let depth = 0; depth < linkDepthMost; depth += 1) {
      const target = this.#links.get(current);
      if (target === undefined) return this.#files.get(current);
      current = target;
    }
    return undefined;
  }

  /** The file, or throws InvalidArgument. */
  get(path: string): SpooledFile {
    const file = this.find(path);
    if (file !== undefined) return file;
    throw new StatusError('InvalidArgument', `Cannot load the archive: it has no file ${JSON.stringify(path)}`);
  }

  async read(path: string, limitBytes: number): Promise<Uint8Array> {
    const file = this.get(path);
    if (file.sizeBytes > limitBytes) throw tooLarge(`${path} is larger than ${String(limitBytes)} bytes`);
    return await readFile(file.path);
  }

  async #take({ entry, body }: TarMember, signal: AbortSignal): Promise<void> {
    if (entry.type === 'directory') return;
    const path = innerPath(entry.path);
    if (entry.type === 'symlink') this.#links.set(path, innerPath(posix.join(posix.dirname(path), entry.linkTarget)));
    else if (entry.type === 'hardlink') this.#links.set(path, innerPath(entry.linkTarget));
    else if (entry.type === 'file') {
      this.#bytes += entry.sizeBytes;
      if (this.#bytes > archiveBytesMost) throw tooLarge(`its files have more than ${String(archiveBytesMost)} bytes`);
      this.#links.delete(path);
      this.#files.set(path, await this.#write(body, signal));
    } else throw new StatusError('InvalidArgument', `Cannot load the archive: it holds a device, "${entry.path}"`);
  }

  async #write(body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<SpooledFile> {
    const path = join(this.#folder, `spooled-${String(this.#files.size)}-${String(this.#bytes)}`);
    await using file = await open(path, 'w', 0o600);
    const hash = createHash('sha256');
    let sizeBytes = 0;
    for await (const chunk of body) {
      signal.throwIfAborted();
      hash.update(chunk);
      await file.appendFile(chunk);
      sizeBytes += chunk.length;
    }
    return { path, sizeBytes, digest: `sha256:${hash.digest('hex')}` };
  }
}

/** A path within the archive in one spelling. Throws InvalidArgument for one that leads out of it. */
function innerPath(path: string): string {
  const normal = posix.normalize(path).replace(/^\/+/, '').replace(/\/+$/, '');
  if (normal !== '..' && !normal.startsWith('../')) return normal;
  throw new StatusError('InvalidArgument', `Cannot load the archive: ${JSON.stringify(path)} leads out of it`);
}

function tooLarge(why: string): StatusError {
  return new StatusError('TooLarge', `Cannot load the archive: ${why}`);
}
