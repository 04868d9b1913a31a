import { once } from 'node:events';
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress, createZstdDecompress, type ZstdCompress } from 'node:zlib';

import { StatusError } from '#base/errors.ts';
import { bytesOfText, textOfBytes } from '#formats/byte-text.ts';
import { unpackError } from '#sys/tree/extract-tar.ts';

/** How to put a foreign archive together again: its bytes between the bodies, and where each body lies. */
export type RecipeStep =
  | { readonly raw: Uint8Array }
  | { readonly path: string; readonly offset: number; readonly sizeBytes: number; readonly index: number };

const rawMark = 0x52;
const bodyMark = 0x42;
/** `R`, u32 length, bytes; or `B`, u32 length of the path, f64 offset, f64 size, path. Little-endian, then zstd. */
const rawHeadBytes = 5;
const bodyHeadBytes = 21;
/** Longest piece of raw bytes or path in a step. */
const maxStepBytes = 1_048_576;
/** Steps are handed to the compressor when so much has come together. */
const batchBytes = 262_144;

/** Writes a recipe while an archive is unpacked. Disposing without `finish` gives it up. */
export class RecipeWriter implements AsyncDisposable {
  readonly #compressor: ZstdCompress;
  readonly #file: WriteStream;
  readonly #written: Promise<unknown>;
  #batch: Buffer[] = [];
  #batchedBytes = 0;
  #body: { path: string; offset: number; sizeBytes: number } | undefined;
  #bodies = 0;

  constructor(path: string) {
    this.#compressor = createZstdCompress();
    this.#file = createWriteStream(path);
    this.#written = pipeline(this.#compressor, this.#file).catch((error: unknown) => error);
  }

  /** Bodies noted so far, the present one included: the index that the next one gets. */
  get bodies(): number {
    return this.#bodies + (this.#body === undefined ? 0 : 1);
  }

  raw(bytes: Uint8Array): void {
    this.#closeBody();
    for (let at = 0; at < bytes.length; at += maxStepBytes) {
      const piece = bytes.subarray(at, at + maxStepBytes);
      const step = Buffer.allocUnsafe(rawHeadBytes + piece.length);
      step[0] = rawMark;
      step.writeUInt32LE(piece.length, 1);
      step.set(piece, rawHeadBytes);
      this.#add(step);
    }
  }

  /** Bytes that were written into `path` (relative to the layer's files) at an offset. */
  body(path: string, offset: number, sizeBytes: number): void {
    const open = this.#body;
    if (open !== undefined && open.path === path && open.offset + open.sizeBytes === offset) {
      open.sizeBytes += sizeBytes;
      return;
    }
    this.#closeBody();
    this.#body = { path, offset, sizeBytes };
  }

  /** Ends the present body, so that a later one of the same path is another. */
  endBody(): void {
    this.#closeBody();
  }

  /** Waits until the compressor takes more. */
  async drain(): Promise<void> {
    if (this.#batchedBytes < batchBytes) return;
    await this.#flush();
  }

  async finish(): Promise<void> {
    this.#closeBody();
    await this.#flush();
    this.#compressor.end();
    const error = await this.#written;
    if (error !== undefined) throw unpackError('the headers', error);
  }

  /** Returns when nothing writes to the file any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#compressor.destroy();
    this.#file.destroy();
    if (!this.#file.closed) await once(this.#file, 'close');
  }

  #closeBody(): void {
    if (this.#body === undefined) return;
    const path = bytesOfText(this.#body.path);
    const step = Buffer.allocUnsafe(bodyHeadBytes + path.length);
    step[0] = bodyMark;
    step.writeUInt32LE(path.length, 1);
    step.writeDoubleLE(this.#body.offset, 5);
    step.writeDoubleLE(this.#body.sizeBytes, 13);
    step.set(path, bodyHeadBytes);
    this.#add(step);
    this.#bodies += 1;
    this.#body = undefined;
  }

  #add(step: Buffer): void {
    this.#batch.push(step);
    this.#batchedBytes += step.length;
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#batch);
    this.#batch = [];
    this.#batchedBytes = 0;
    if (this.#compressor.write(bytes)) return;
    await Promise.race([once(this.#compressor, 'drain'), this.#written]);
  }
}

/** Throws Damaged for bytes that no `RecipeWriter` wrote. */
export async function* readRecipe(path: string): AsyncGenerator<RecipeStep, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  let index = 0;
  const file = createReadStream(path);
  const unpacked = createZstdDecompress();
  const piped = pipeline(file, unpacked).catch((error: unknown) => error);
  try {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let at = 0;
      for (let step = decodeStep(rest, at, index); step !== undefined; step = decodeStep(rest, at, index)) {
        yield step.step;
        at += step.length;
        if ('path' in step.step) index += 1;
      }
      rest = rest.subarray(at);
    }
  } catch (error) {
    throw error instanceof StatusError ? error : damaged(error);
  } finally {
    file.destroy();
    unpacked.destroy();
    await piped;
  }
  if (rest.length > 0) throw damaged();
}

function decodeStep(bytes: Buffer, at: number, index: number): { step: RecipeStep; length: number } | undefined {
  if (bytes.length - at < rawHeadBytes) return undefined;
  const mark = bytes[at];
  const length = bytes.readUInt32LE(at + 1);
  if ((mark !== rawMark && mark !== bodyMark) || length > maxStepBytes) throw damaged();
  const headBytes = mark === rawMark ? rawHeadBytes : bodyHeadBytes;
  const end = at + headBytes + length;
  if (end > bytes.length) return undefined;
  const content = bytes.subarray(at + headBytes, end);
  if (mark === rawMark) return { step: { raw: content }, length: end - at };
  const [offset, sizeBytes] = [bytes.readDoubleLE(at + 5), bytes.readDoubleLE(at + 13)];
  return { step: { path: textOfBytes(content), offset, sizeBytes, index }, length: end - at };
}

function damaged(cause?: unknown): StatusError {
  return new StatusError('Damaged', 'Cannot read the recipe of a layer: its bytes are wrong; pull the image again', {
    cause,
  });
}
