import type { LogRecord } from './container-log.ts';

/** conmon's buffer is 8 KiB, its prefix some 50 bytes: a longer line without an end is damage. */
const longestLineBytes = 64 * 1024;

const newline = 0x0a;
const space = 0x20;
const full = 0x46;
const headerPattern = /^(\d+-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})([+-]\d\d:\d\d) (stdout|stderr) ([PF]) /;
/** Timestamp of 35 bytes, stream and tag with their spaces, and room for years with five digits. */
const longestHeaderBytes = 48;

/** Reads lines of a log. Most lines begin as the one before, and only what differs is parsed. */
export class LogLineParser {
  /** Up to the dot of the seconds, and from the offset on up to the text. */
  #before = '';
  #after = '';
  #secondNs = 0n;
  #stream: LogRecord['stream'] = 'stdout';
  #isFull = true;

  /**
   * Reads a line of conmon's k8s-file format, with its newline: `<RFC 3339 with nanoseconds> stdout|stderr F|P <text>`.
   * `F` means that the output had a newline here, `P` that more of the line follows. undefined for anything else. The
   * record shares the line's memory.
   */
  parse(line: Buffer): LogRecord | undefined {
    const head = line.toString('latin1', 0, longestHeaderBytes);
    const nanosAt = this.#before.length;
    const isLikeBefore =
      nanosAt > 0 && head.startsWith(this.#before) && head.startsWith(this.#after, nanosAt + nanosDigits);
    let nanos = isLikeBefore ? numberAt(head, nanosAt, nanosDigits) : -1;
    if (nanos < 0) nanos = this.#parseHeader(head);
    if (nanos < 0) return undefined;
    const textAt = this.#before.length + nanosDigits + this.#after.length;
    return {
      stream: this.#stream,
      timeNs: this.#secondNs + BigInt(nanos),
      bytes: line.subarray(textAt, this.#isFull ? undefined : -1),
    };
  }

  /** The nanoseconds, with the rest kept for the next line; -1 when it is no header. */
  #parseHeader(head: string): number {
    const match = headerPattern.exec(head);
    if (match === null) return -1;
    const [header, seconds = '', nanos = '', offset = '', stream, tag] = match;
    const epochMs = Date.parse(`${seconds}${offset}`);
    if (Number.isNaN(epochMs)) return -1;
    this.#before = `${seconds}.`;
    this.#after = header.slice(this.#before.length + nanosDigits);
    this.#secondNs = BigInt(epochMs) * 1_000_000n;
    this.#stream = stream === 'stderr' ? 'stderr' : 'stdout';
    this.#isFull = tag === 'F';
    return Number(nanos);
  }
}

const nanosDigits = 9;

/** A decimal number of so many digits; -1 when there is something else. */
function numberAt(text: string, at: number, digits: number): number {
  let value = 0;
  for (let index = at; index < at + digits; index += 1) {
    const digit = text.charCodeAt(index) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
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

  /** The lines that are complete with these bytes, with their newlines. They share memory with `bytes`. */
  push(bytes: Buffer): readonly Buffer[] {
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = bytes.indexOf(newline) + 1; end > 0; end = bytes.indexOf(newline, start) + 1) {
      const piece = bytes.subarray(start, end);
      const line = lines.length > 0 || this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
      this.consumedBytes += line.length;
      lines.push(line);
      start = end;
    }
    const rest = bytes.subarray(start);
    this.#rest = lines.length > 0 ? Buffer.from(rest) : Buffer.concat([this.#rest, rest]);
    if (this.#rest.length > longestLineBytes) {
      this.consumedBytes += this.#rest.length;
      this.#rest = Buffer.alloc(0);
    }
    return lines;
  }
}
