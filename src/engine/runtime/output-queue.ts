import type { OutputChunk } from './containers.ts';

/** What one reader may have waiting before the process is held back. */
const fullBytes = 256 * 1024;
/** What a chunk costs besides its bytes, so that many small ones have a bound too. */
const chunkBytes = 256;

/** The output that waits for one reader. */
export class OutputQueue implements AsyncIterable<OutputChunk> {
  readonly #onRoom: () => void;
  readonly #drained = Promise.withResolvers<void>();
  #chunks: OutputChunk[] = [];
  /** Chunks of `#chunks` that the reader has. */
  #taken = 0;
  #bytes = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  /** `onRoom` is called when the reader took something. */
  constructor(onRoom: () => void) {
    this.#onRoom = onRoom;
  }

  get isFull(): boolean {
    return this.#bytes >= fullBytes;
  }

  /** Resolves when the reader has everything there will be and came back for more, or left. */
  get drained(): Promise<void> {
    return this.#drained.promise;
  }

  push(chunk: OutputChunk): void {
    if (this.#ended) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.bytes.length + chunkBytes;
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    if (this.#chunks.length === 0) this.#drained.resolve();
    this.#wake?.();
  }

  /** The reader left: what waits is dropped. */
  abandon(): void {
    this.#clear();
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<OutputChunk, void, undefined> {
    try {
      for (;;) {
        for (let chunk = this.#next(); chunk !== undefined; chunk = this.#next()) {
          yield chunk;
          this.#bytes = Math.max(0, this.#bytes - chunk.bytes.length - chunkBytes);
          this.#onRoom();
        }
        this.#clear();
        if (this.#ended) return;
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wake = resolve;
        await promise;
        this.#wake = undefined;
      }
    } finally {
      this.abandon();
      this.#onRoom();
    }
  }

  #next(): OutputChunk | undefined {
    return this.#chunks[this.#taken++];
  }

  #clear(): void {
    this.#chunks = [];
    this.#taken = 0;
    this.#bytes = 0;
  }
}
