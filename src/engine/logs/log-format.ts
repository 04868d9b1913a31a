import type { LogRecord } from './container-log.ts';

/** conmon's buffer is 8 KiB, its prefix some 50 bytes: a longer line without an end is damage. */
const longestLineBytes = 64 * 1024;

const newline = 0x0a;
const space = 0x20;
const full = 0x46;
const headerPattern = /^(\d+-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})([+-]\d\d:\d\d) (stdout|stderr) ([PF]) /;
/** Timestamp of 35 bytes, stream and tag with their spaces, and room for years with five digits. */
const longestHeaderBytes = 48;

/**
 * Reads a line of conmon's k8s-file format, without its newline: `<RFC 3339 with nanoseconds> stdout|stderr F|P <text>`.
 * `F` means that the output had a newline here, `P` that more of the line follows. undefined for anything else.
 */
export function parseLogLine(line: Buffer): LogRecord | undefined {
  const match = headerPattern.exec(line.toString('latin1', 0, longestHeaderBytes));
  if (match === null) return undefined;
  const [header, seconds = '', nanos = '', offset = '', stream, tag] = match;
  const epochMs = Date.parse(`${seconds}${offset}`);
  if (Number.isNaN(epochMs)) return undefined;
  const text = line.subarray(header.length);
  return {
    stream: stream === 'stderr' ? 'stderr' : 'stdout',
    timeNs: BigInt(epochMs) * 1_000_000n + BigInt(nanos),
    bytes: tag === 'F' ? Buffer.concat([text, Buffer.of(newline)]) : text,
  };
}

/** What the tail of a log counts by: the stream of a line and whether it ends there. Cheaper than parsing it. */
export function lineKind(line: Buffer): { readonly stream: 'stdout' | 'stderr'; readonly ends: boolean } | undefined {
  const streamAt = line.indexOf(space) + 1;
  if (streamAt === 0 || streamAt > longestHeaderBytes) return undefined;
  const stream = line.toString('latin1', streamAt, streamAt + 6);
  if (stream !== 'stdout' && stream !== 'stderr') return undefined;
  return { stream, ends: line[streamAt + 7] === full };
}

/** Cuts a stream of bytes into lines; holds at most one unfinished line. */
export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes up to the end of the line that was given last, its newline included. */
  consumedBytes = 0;

  /** The lines that are complete with these bytes, without their newlines. They share memory with `bytes`. */
  *push(bytes: Buffer): Generator<Buffer, void, undefined> {
    let start = 0;
    const base = this.consumedBytes + this.#rest.length;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      const piece = bytes.subarray(start, end);
      start = end + 1;
      this.consumedBytes = base + start;
      if (this.#rest.length === 0) yield piece;
      else {
        const line = Buffer.concat([this.#rest, piece]);
        this.#rest = Buffer.alloc(0);
        yield line;
      }
    }
    const rest = Buffer.concat([this.#rest, bytes.subarray(start)]);
    const isDamage = rest.length > longestLineBytes;
    if (isDamage) this.consumedBytes += rest.length;
    this.#rest = isDamage ? Buffer.alloc(0) : rest;
  }
}
