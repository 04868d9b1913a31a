import { type Reason, StatusError } from '#base/errors.ts';
import type { LineRange, SourceFile } from './dockerfile.ts';

const contextLines = 2;
const maxMarkedLines = 12;
const maxLineLength = 160;
const maxSentenceLength = 1000;

export interface SourceErrorOptions {
  readonly reason?: Reason;
  readonly cause?: unknown;
}

/** An error at some lines of a Dockerfile. */
export class SourceError extends StatusError {
  readonly source: SourceFile;
  readonly at: LineRange;
  /** The message without place and excerpt. */
  readonly sentence: string;

  constructor(reason: Reason, source: SourceFile, at: LineRange, sentence: string, cause?: unknown) {
    super(reason, withExcerpt(source, at, sentence), {
      ...(cause === undefined ? {} : { cause }),
      problems: [{ path: placeOf(source, at), message: sentence }],
    });
    this.source = source;
    this.at = at;
    this.sentence = sentence;
  }
}

/**
 * An error at some lines of a Dockerfile: the sentence, then `<file>:<line>` and an excerpt in which the lines are
 * marked, as BuildKit prints it. `problems` has the place and the sentence.
 */
export function sourceError(
  source: SourceFile,
  at: LineRange,
  text: string,
  { reason = 'InvalidArgument', cause }: SourceErrorOptions = {},
): SourceError {
  return new SourceError(reason, source, at, printable(text, maxSentenceLength), cause);
}

/**
 * A thrown value with its place: a StatusError that has none yet becomes one at these lines, anything else stays what it
 * is.
 */
export function placed(error: unknown, source: SourceFile, at: LineRange, prefix = ''): unknown {
  if (!(error instanceof StatusError) || error.problems.length > 0) return error;
  return sourceError(source, at, prefix + error.message, { reason: error.reason, cause: error });
}

/** The sentence followed by the place and the marked lines. */
function withExcerpt(source: SourceFile, at: LineRange, sentence: string): string {
  return `${sentence}\n\n${placeOf(source, at)}\n${excerpt(source, at)}`;
}

/** `Dockerfile:3`. */
function placeOf(source: SourceFile, at: LineRange): string {
  return `${source.name}:${String(at.start)}`;
}

function excerpt(source: SourceFile, at: LineRange): string {
  const end = Math.min(at.end, at.start + maxMarkedLines - 1);
  const first = Math.max(1, at.start - contextLines);
  const last = Math.min(source.lines.length, end + contextLines);
  const rule = '-'.repeat(20);
  const rows = [rule];
  for (let line = first; line <= last; line += 1) {
    const mark = line >= at.start && line <= end ? '>>>' : '   ';
    rows.push(
      `${String(line).padStart(4)} | ${mark} ${printable(source.lines[line - 1] ?? '', maxLineLength)}`.trimEnd(),
    );
  }
  if (end < at.end) rows.push(`       ... ${String(at.end - end)} more lines`);
  return [...rows, rule].join('\n');
}

/** A line that cannot move a terminal's cursor, cut to a readable length. */
function printable(line: string, maxLength: number): string {
  const cut = line.length > maxLength ? `${line.slice(0, maxLength)}...` : line;
  // oxlint-disable-next-line no-control-regex
  return cut.replaceAll('\t', '    ').replace(/[\u0000-\u001f\u007f-\u009f]/g, '?');
}
