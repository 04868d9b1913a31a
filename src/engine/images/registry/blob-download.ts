import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

import { after } from '#base/clock.ts';
import { reasonOf, StatusError } from '#base/errors.ts';
import type { Descriptor } from '#formats/oci.ts';
import { giveBack } from '../../stream/lend.ts';
import { discardBody } from './read-body.ts';
import { isPassing } from './registry-session.ts';
import type { Repository } from './repository.ts';

/** Broken transfers of one blob that are taken up again. */
const resumesMost = 5;
/** Of reads and writes of the file: each takes a turn on another thread. */
const bufferBytes = 262_144;
/** Without anything new, after which what is in the buffer is written. */
const pauseMs = 20;

/**
 * Downloads a blob into a file, with its digest checked as the bytes come; what breaks off, also an earlier download that
 * left the file behind, is taken up where it ended (ranges, RFC 9110 section 14). Throws Damaged for other bytes than
 * those of the descriptor, and removes the file then.
 */
export async function downloadBlob(
  repository: Repository,
  descriptor: Descriptor,
  path: string,
  onBytes: (receivedBytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  await using file = await open(path, 'a+', 0o600);
  const download = new Download(repository, descriptor, file, onBytes);
  try {
    await download.takeUp(signal);
    for (let attempt = 1; !(await download.attempt(attempt, signal)); attempt += 1) {
      await repository.session.pause(attempt, signal);
    }
  } catch (error) {
    if (reasonOf(error) === 'Damaged') await rm(path, { force: true });
    throw error;
  }
}

class Download {
  readonly #repository: Repository;
  readonly #descriptor: Descriptor;
  readonly #file: FileHandle;
  readonly #onBytes: (receivedBytes: number) => void;
  readonly #buffer = Buffer.allocUnsafe(bufferBytes);
  #buffered = 0;
  #hash: Hash = createHash('sha256');
  #received = 0;
  /** Bytes that were there before: a crash of the machine may have left others than came. */
  #inherited = 0;

  constructor(repository: Repository, descriptor: Descriptor, file: FileHandle, onBytes: (received: number) => void) {
    this.#repository = repository;
    this.#descriptor = descriptor;
    this.#file = file;
    this.#onBytes = onBytes;
  }

  /** Reads what an earlier download left. */
  async takeUp(signal: AbortSignal): Promise<void> {
    const { size } = await this.#file.stat();
    if (size > this.#descriptor.size) await this.#file.truncate(0);
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead } = await this.#file.read(this.#buffer, 0, bufferBytes, this.#received);
      if (bytesRead === 0) break;
      this.#hash.update(this.#buffer.subarray(0, bytesRead));
      this.#received += bytesRead;
    }
    this.#inherited = this.#received;
  }

  /** True when all is there; false when the rest should be asked for again. */
  async attempt(number: number, signal: AbortSignal): Promise<boolean> {
    const before = this.#received;
    try {
      if (before < this.#descriptor.size || before === 0) await this.#receive(signal);
    } catch (error) {
      signal.throwIfAborted();
      const stalled = reasonOf(error) === 'Timeout' && this.#received > before;
      if (number > resumesMost || !(stalled || isPassing(error))) throw error;
      return false;
    }
    if (this.#received < this.#descriptor.size) {
      if (number <= resumesMost) return false;
      throw this.#damaged(`${String(this.#received)} of ${String(this.#descriptor.size)} bytes came`);
    }
    const digest = `sha256:${this.#hash.digest('hex')}`;
    if (digest === this.#descriptor.digest) return true;
    if (this.#inherited === 0) throw this.#damaged(`the bytes have ${digest}`);
    await this.#restart();
    return false;
  }

  async #receive(signal: AbortSignal): Promise<void> {
    const { session, scopes } = this.#repository;
    const offset = this.#received;
    const response = await this.#repository.refusing(() =>
      session.request(
        {
          method: 'GET',
          target: this.#repository.blobTarget(this.#descriptor.digest),
          headers: offset === 0 ? {} : { range: `bytes=${String(offset)}-` },
          scopes,
          expected: offset === 0 ? [200] : [200, 206, 416],
        },
        signal,
      ),
    );
    if (offset > 0 && !resumesAt(offset, response.status, response.headers['content-range'])) {
      await this.#restart();
      if (response.status !== 200) return await discardBody(response);
    }
    const left = Number(response.headers['content-length'] ?? this.#descriptor.size - this.#received);
    if (this.#received + left !== this.#descriptor.size) {
      throw this.#damaged(
        `the registry has ${String(this.#received + left)} bytes, not ${String(this.#descriptor.size)}`,
      );
    }
    const chunks = response.body[Symbol.asyncIterator]();
    try {
      for (let next = await this.#nextOf(chunks); next.done !== true; next = await this.#nextOf(chunks)) {
        const chunk = next.value;
        if (this.#received + chunk.length > this.#descriptor.size) {
          throw this.#damaged(`more than ${String(this.#descriptor.size)} bytes came`);
        }
        await this.#take(chunk);
        giveBack(chunk);
      }
    } finally {
      await chunks.return?.();
      await this.#write();
    }
  }

  /** While nothing comes, what has come is written: others may wait for it. */
  async #nextOf(chunks: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
    const next = chunks.next();
    // It is waited for below, unless the disk fails before.
    next.catch(() => {});
    if (this.#buffered === 0) return next;
    const { promise: pause, resolve } = Promise.withResolvers<undefined>();
    using _ = after(pauseMs, () => resolve(undefined));
    const first = await Promise.race([next, pause]);
    if (first !== undefined) return first;
    await this.#write();
    return next;
  }

  async #take(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + bufferBytes - this.#buffered);
      this.#buffer.set(part, this.#buffered);
      this.#buffered += part.length;
      this.#received += part.length;
      at += part.length;
      if (this.#buffered === bufferBytes) await this.#write();
    }
  }

  async #write(): Promise<void> {
    const bytes = this.#buffer.subarray(0, this.#buffered);
    this.#buffered = 0;
    if (bytes.length === 0) return;
    await this.#file.appendFile(bytes);
    // Others may read the file as it grows: what is not in it yet has not come.
    this.#onBytes(this.#received);
  }

  /** The registry cannot resume: from the beginning, over what was written. */
  async #restart(): Promise<void> {
    this.#received = 0;
    this.#inherited = 0;
    this.#hash = createHash('sha256');
    await this.#file.truncate(0);
  }

  #damaged(why: string): StatusError {
    return new StatusError(
      'Damaged',
      `filesystem layer verification failed for digest ${this.#descriptor.digest}: ${why}`,
    );
  }
}

function resumesAt(offset: number, status: number, range: string | undefined): boolean {
  return status === 206 && range?.startsWith(`bytes ${String(offset)}-`) === true;
}
