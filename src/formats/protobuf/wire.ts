import { StatusError } from '#base/errors.ts';

/** Protocol Buffers, "Encoding": the type of a record, the low three bits of its tag. Groups (3, 4) are refused. */
export const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Reads records out of one message's bytes; throws InvalidArgument where they make no sense. */
export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** 64 bits, unsigned; further ones are dropped. */
  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw malformed('a number does not end');
  }

  /** The low 32 bits of a number, unsigned. */
  varint32(): number {
    const first = this.#bytes[this.#at];
    if (first === undefined || first >= 0x80) return Number(BigInt.asUintN(32, this.varint()));
    this.#at += 1;
    return first;
  }

  double(): number {
    const at = this.#advance(8);
    return this.#view.getFloat64(at, true);
  }

  /** A part of the original bytes, not a copy. */
  bytes(): Uint8Array {
    const length = this.varint();
    if (length > BigInt(this.#bytes.length)) throw malformed('a length is greater than the message');
    const at = this.#advance(Number(length));
    return this.#bytes.subarray(at, this.#at);
  }

  skip(wireType: number): void {
    if (wireType === wireTypes.varint) this.varint();
    else if (wireType === wireTypes.fixed64) this.#advance(8);
    else if (wireType === wireTypes.bytes) this.bytes();
    else if (wireType === wireTypes.fixed32) this.#advance(4);
    else throw malformed(`wire type ${String(wireType)} is unknown`);
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw malformed('it ends too early');
    this.#at += 1;
    return byte;
  }

  #advance(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) throw malformed('it ends too early');
    this.#at = at + length;
    return at;
  }
}

/** Collects records of one message. */
export class WireWriter {
  readonly #chunks: Uint8Array[] = [];

  tag(number: number, wireType: number): void {
    this.varint(BigInt(number * 8 + wireType));
  }

  /** Negative numbers take ten bytes, as protobuf has it. */
  varint(value: bigint): void {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, value);
    for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    this.#chunks.push(Uint8Array.from(bytes));
  }

  double(value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    this.#chunks.push(bytes);
  }

  bytes(bytes: Uint8Array): void {
    this.varint(BigInt(bytes.length));
    this.#chunks.push(bytes);
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }
}

export function malformed(what: string): StatusError {
  return new StatusError('InvalidArgument', `Cannot read a protobuf message: ${what}`);
}
