import { prefixEnd } from '../prefix-end.ts';

/** etcd's sign for "no end" and, as a start, for the first key there can be. */
const nul = Uint8Array.of(0);

export interface KeyRange {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

/** Our keys within etcd's: all begin with a prefix of their own, so that several may share a cluster. */
export class KeySpace {
  /** The range of all keys, also those of others. */
  readonly everything: KeyRange = { key: nul, rangeEnd: nul };
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** As etcd has it. */
  bytesOf(key: string): Uint8Array {
    return Buffer.from(this.#prefix + key);
  }

  /** Undefined for a key of others. */
  keyOf(bytes: Uint8Array): string | undefined {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
    return text.startsWith(this.#prefix) ? text.slice(this.#prefix.length) : undefined;
  }

  /** Of the keys with a prefix that are greater than `after`. */
  range(prefix: string, after = ''): KeyRange {
    const end = prefixEnd(this.#prefix + prefix);
    const isWithin = after.startsWith(prefix) || Buffer.compare(Buffer.from(after), Buffer.from(prefix)) > 0;
    const start = this.#prefix + (isWithin && after !== '' ? `${after}\0` : prefix);
    return { key: start === '' ? nul : Buffer.from(start), rangeEnd: end === undefined ? nul : Buffer.from(end) };
  }
}
