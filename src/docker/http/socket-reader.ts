import type { Duplex } from 'node:stream';

import { StatusError } from '#base/errors.ts';

/**
 * The bytes of an upgraded connection. Node parses no body on an upgrade: the first `Content-Length` bytes after the head
 * are the request's body, everything after them is the raw stream.
 */
export class SocketReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Uint8Array;

  constructor(socket: Duplex, head: Uint8Array) {
    // The reading side may end long before the writing side: do not destroy the socket with it.
    this.#source = socket.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>;
    this.#rest = head;
  }

  /** Exactly `length` bytes; throws InvalidArgument when the client sends fewer. */
  async *take(length: number): AsyncGenerator<Uint8Array, void, undefined> {
    let missing = length;
    while (missing > 0) {
      const chunk = await this.#next();
      if (chunk === undefined) {
        throw new StatusError('InvalidArgument', 'Cannot read the request body: the connection ended before it did');
      }
      this.#rest = chunk.subarray(missing);
      missing -= Math.min(missing, chunk.length);
      yield chunk.subarray(0, chunk.length - this.#rest.length);
    }
  }

  /** Everything that is left, until the client half-closes. */
  async *remainder(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const chunk = await this.#next();
      if (chunk === undefined) return;
      yield chunk;
    }
  }

  async #next(): Promise<Uint8Array | undefined> {
    if (this.#rest.length > 0) {
      const chunk = this.#rest;
      this.#rest = new Uint8Array();
      return chunk;
    }
    const result = await this.#source.next();
    return result.done === true ? undefined : result.value;
  }
}
