/** Bytes with their own memory, which may be moved to another thread. */
export type Piece = Uint8Array<ArrayBuffer>;

export const pieceBytes = 262_144;
/** Memory of used pieces that is kept for further ones. */
const sparesMost = 4;

/**
 * Copies of a stream's bytes in pieces of `pieceBytes`, the last one shorter: the source may use its memory again, and
 * each piece costs a message between threads. Memory that is given back is used again.
 */
export class Pieces implements AsyncIterable<Piece> {
  readonly #source: AsyncGenerator<Piece, void, undefined>;
  readonly #head: Piece[] = [];
  readonly #spares: ArrayBuffer[] = [];

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = this.#gather(source);
  }

  /** Whether the stream ends within so many pieces; they are kept for the iteration. */
  async endWithin(pieces: number): Promise<boolean> {
    while (this.#head.length <= pieces) {
      const next = await this.#source.next();
      if (next.done === true) return true;
      this.#head.push(next.value);
    }
    return false;
  }

  /** A piece that the iteration has yielded and nobody reads any more. */
  giveBack({ buffer }: Piece): void {
    if (buffer.byteLength === pieceBytes && this.#spares.length < sparesMost) this.#spares.push(buffer);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Piece, void, undefined> {
    try {
      for (let piece = this.#head.shift(); piece !== undefined; piece = this.#head.shift()) yield piece;
      yield* this.#source;
    } finally {
      await this.#source.return();
    }
  }

  async *#gather(source: AsyncIterable<Uint8Array>): AsyncGenerator<Piece, void, undefined> {
    let memory = this.#memory();
    let have = 0;
    for await (const chunk of source) {
      for (let at = 0; at < chunk.length;) {
        const part = chunk.subarray(at, at + pieceBytes - have);
        memory.set(part, have);
        at += part.length;
        have += part.length;
        if (have < pieceBytes) continue;
        yield memory;
        memory = this.#memory();
        have = 0;
      }
    }
    if (have > 0) yield memory.subarray(0, have);
  }

  #memory(): Piece {
    return new Uint8Array(this.#spares.pop() ?? new ArrayBuffer(pieceBytes));
  }
}
