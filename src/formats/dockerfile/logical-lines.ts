import { StatusError } from '#base/errors.ts';
import type { DockerfileWarning, EscapeCharacter, Heredoc, LineRange, SourceFile } from './dockerfile.ts';
import { type HeredocStart, heredocsOf } from './heredoc.ts';
import { sourceError } from './source-error.ts';
import { parseJsonWords, splitFlags } from './split-words.ts';

/** One instruction: its lines joined, without comments, and the here-documents that follow it. */
interface LogicalLine {
  readonly text: string;
  readonly at: LineRange;
  readonly heredocs: readonly Heredoc[];
}

export interface LogicalLines {
  readonly source: SourceFile;
  readonly escape: EscapeCharacter;
  readonly directives: Readonly<Record<string, string>>;
  readonly lines: readonly LogicalLine[];
  readonly warnings: readonly DockerfileWarning[];
}

const maxTextLength = 4 * 1024 * 1024;
const knownDirectives = new Set(['syntax', 'escape', 'check']);

/** Joins continuation lines, drops comments, collects here-documents and the directives at the top. */
export function readLogicalLines(text: string, fileName: string): LogicalLines {
  if (text.length > maxTextLength)
    throw new StatusError(
      'TooLarge',
      `Cannot parse "${fileName}": it has more than ${String(maxTextLength)} characters`,
    );
  const plain = text.startsWith('\ufeff') ? text.slice(1) : text;
  // A trailing newline ends the last line and begins none.
  const source = { name: fileName, lines: plain.replace(/\r?\n$/, '').split(/\r?\n/) };
  const nul = source.lines.findIndex((line) => line.includes('\0'));
  if (nul !== -1) throw parseError(source, { start: nul + 1, end: nul + 1 }, 'the line has a NUL character');
  const { escape, directives, next } = readDirectives(source);
  const lines: LogicalLine[] = [];
  const warnings: DockerfileWarning[] = [];
  let at = next;
  while (at < source.lines.length) {
    const line = source.lines[at] ?? '';
    if (line.trim() === '' || isComment(line)) {
      at += 1;
      continue;
    }
    const joined = joinLine(source, at, escape, warnings);
    const { heredocs, next: after } = readHeredocs(source, joined.text, at, joined.next);
    lines.push({ text: joined.text.trim(), at: { start: at + 1, end: after }, heredocs });
    at = after;
  }
  return { source, escape, directives, lines: lines.filter(({ text }) => text !== ''), warnings };
}

/** Dockerfile reference, "Parser directives": before all else, each once; the first line that is none ends them. */
function readDirectives(source: SourceFile): {
  escape: EscapeCharacter;
  directives: Record<string, string>;
  next: number;
} {
  const directives: Record<string, string> = {};
  let next = 0;
  for (; next < source.lines.length; next += 1) {
    const line = (source.lines[next] ?? '').trim();
    const equals = line.indexOf('=');
    const name = line.slice(1, Math.max(equals, 1)).trim().toLowerCase();
    const value = line.slice(equals + 1).trim();
    if (!line.startsWith('#') || value === '' || !knownDirectives.has(name)) break;
    const at = { start: next + 1, end: next + 1 };
    if (directives[name] !== undefined) throw parseError(source, at, `only one ${name} parser directive can be used`);
    if (name === 'escape' && value !== '\\' && value !== '`')
      throw parseError(source, at, `invalid escape token '${value}' does not match \` or \\`);
    directives[name] = value;
  }
  return { escape: directives['escape'] === '`' ? '`' : '\\', directives, next };
}

export function parseError(source: SourceFile, at: LineRange, message: string): StatusError {
  return sourceError(source, at, `dockerfile parse error on line ${String(at.start)}: ${message}`);
}

function joinLine(
  source: SourceFile,
  start: number,
  escape: EscapeCharacter,
  warnings: DockerfileWarning[],
): { text: string; next: number } {
  const parts: string[] = [];
  let at = start;
  let open = true;
  let emptyAt = 0;
  for (; open && at < source.lines.length; at += 1) {
    const line = source.lines[at] ?? '';
    if (at > start && isComment(line)) continue;
    if (at > start && line.trim() === '') {
      emptyAt = at + 1;
      continue;
    }
    const body = at === start ? line.trimStart() : line;
    const trimmed = withoutContinuation(body, escape);
    open = trimmed !== undefined;
    parts.push(trimmed ?? body);
  }
  if (emptyAt > 0) warnings.push({ line: emptyAt, text: `Empty continuation line found in: ${parts.join('')}` });
  return { text: parts.join(''), next: at };
}

/** The line without its continuation mark; undefined when it has none (an escaped escape is none). */
function withoutContinuation(line: string, escape: EscapeCharacter): string | undefined {
  const trimmed = line.trimEnd();
  if (!trimmed.endsWith(escape) || trimmed.endsWith(escape + escape)) return undefined;
  return trimmed.slice(0, -1);
}

function isComment(line: string): boolean {
  return line.trimStart().startsWith('#');
}

function readHeredocs(
  source: SourceFile,
  line: string,
  start: number,
  next: number,
): { heredocs: readonly Heredoc[]; next: number } {
  const starts = heredocStarts(line);
  const heredocs: Heredoc[] = [];
  let at = next;
  for (const { name, expand, chomp } of starts) {
    const first = at;
    const cut = (text: string): string => (chomp ? text.replace(/^\t+/, '') : text);
    while (at < source.lines.length && cut(source.lines[at] ?? '') !== name) at += 1;
    if (at >= source.lines.length) throw parseError(source, { start: start + 1, end: next }, 'unterminated heredoc');
    const content = source.lines.slice(first, at).map((text) => `${cut(text)}\n`);
    heredocs.push({ name, expand, content: content.join('') });
    at += 1;
  }
  return { heredocs, next: at };
}

/** Only RUN, COPY and ADD take here-documents, also below ONBUILD, and never in JSON form. */
function heredocStarts(line: string): readonly HeredocStart[] {
  if (!line.includes('<<')) return [];
  const match = /^\s*(?:onbuild\s+)?(?:run|copy|add)\s+(.*)$/is.exec(line);
  if (match === null) return [];
  const { rest } = splitFlags(match[1] ?? '');
  return parseJsonWords(rest) === undefined ? heredocsOf(rest) : [];
}
