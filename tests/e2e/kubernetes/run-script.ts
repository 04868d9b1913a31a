import { readFileSync, writeFileSync } from 'node:fs';

import { command as kitCommand } from '../../kit/command.ts';
import { BackgroundCommand } from './background-command.ts';

/**
 * One step of a script: `$ COMMAND` runs to its end; `& NAME COMMAND` runs beside what follows; `% NAME LINES` reads as
 * many lines of such a one, and `% NAME end` waits for its end. Lines `> ...` go on with the command.
 */
interface Step {
  readonly line: string;
  /** What it shall print. */
  readonly expected: string;
}

export interface ScriptRun {
  readonly path: string;
  /** Where commands run: files of one are there for the next. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Writes what was printed into the script, to be read and committed. */
  readonly isRecording: boolean;
}

const commandTimeoutMs = 120_000;

/** Lines `# ...` are remarks, then come steps, each followed by what it prints, without what varies. */
export async function runScript(run: ScriptRun): Promise<{ readonly expected: string; readonly actual: string }> {
  const text = readFileSync(run.path, 'utf8');
  const { head, steps } = parseScript(text);
  const printed: Step[] = [];
  await using background = new AsyncDisposableStack();
  const running = new Map<string, BackgroundCommand>();
  for (const { line } of steps) {
    const [, sign, rest] = /^(.) (.*)$/s.exec(line) ?? [];
    const words = commandOf(rest ?? '');
    if (sign === '$') printed.push({ line, expected: await runCommand(words, run) });
    else if (sign === '&') {
      const [, name = '', command = ''] = /^(\w+) (.*)$/s.exec(words) ?? [];
      running.set(name, background.use(new BackgroundCommand(command, { cwd: run.folder, env: run.env })));
      printed.push({ line, expected: '' });
    } else printed.push({ line, expected: await readBackground(words, running) });
  }
  const actual = format(head, printed);
  if (run.isRecording) writeFileSync(run.path, actual);
  return { expected: run.isRecording ? actual : text, actual };
}

function parseScript(text: string): { readonly head: readonly string[]; readonly steps: readonly Step[] } {
  const head: string[] = [];
  const steps: { line: string; lines: string[] }[] = [];
  for (const line of text.trimEnd().split('\n')) {
    const last = steps.at(-1);
    if (/^[$&%] /.test(line)) steps.push({ line, lines: [] });
    else if (last === undefined) head.push(line);
    else if (line.startsWith('> ') && last.lines.length === 0) last.line += `\n${line}`;
    else last.lines.push(line);
  }
  return { head, steps: steps.map(({ line, lines }) => ({ line, expected: lines.join('\n') })) };
}

/** The command without the signs of lines that go on. */
function commandOf(line: string): string {
  return line.replaceAll('\n> ', '\n');
}

function format(head: readonly string[], steps: readonly Step[]): string {
  const parts = steps.map(({ line, expected }) => `${line}\n${expected === '' ? '' : `${expected}\n`}`);
  return `${head.join('\n')}\n${parts.join('')}`;
}

/** What it prints on both streams, and its exit code when it is not 0. */
async function runCommand(command: string, { folder, env }: ScriptRun): Promise<string> {
  const options = { cwd: folder, env: { ...env }, timeoutMs: commandTimeoutMs };
  const { code, stdout } = await kitCommand('bash', ['-c', `exec 2>&1\n${command}`], options);
  return withCode(stdout, code);
}

/** `NAME LINES` or `NAME end`. */
async function readBackground(words: string, running: ReadonlyMap<string, BackgroundCommand>): Promise<string> {
  const [name = '', what = ''] = words.split(' ');
  const one = running.get(name);
  if (one === undefined) throw new Error(`no command "${name}" runs in the background`);
  if (what !== 'end') return withoutChance(await one.lines(Number(what)));
  const { text, code } = await one.rest();
  return withCode(text, code);
}

function withCode(text: string, code: number): string {
  const constant = withoutChance(text).trimEnd();
  return code === 0 ? constant : [constant, `[exit ${String(code)}]`].filter((one) => one !== '').join('\n');
}

/** Output without what differs from run to run: times, identifiers, revisions, random names, widths of columns. */
function withoutChance(text: string): string {
  return (
    text
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UID')
      .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| \+0000( UTC)?)?/g, 'TIME')
      .replaceAll(/[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000/g, 'TIME')
      .replaceAll(/[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}/g, 'TIME')
      .replaceAll(/(resource ?version"?: *"?)\d+/gi, '$1N')
      .replaceAll(/10\.96\.(?!0\.1\b)\d+\.\d+/g, '10.96.x.x')
      .replaceAll(/https:\/\/127\.0\.0\.1:\d+/g, 'https://SERVER')
      .replaceAll(/X509SHA256=[0-9a-f]+/g, 'X509SHA256=HASH')
      .replaceAll(/\/tmp\/[\w./-]+/g, 'PATH')
      .replaceAll(/kube-api-access-[a-z0-9]{5}/g, 'kube-api-access-RANDOM')
      .replaceAll(/(?<!cpu\W*)\b(\d+[smhd])+( ago)?\b/g, 'AGE')
      .replaceAll(/<invalid>/g, 'AGE')
      .replaceAll(/^[IWEF]\d{4} [\d:.]+ +\d+ /gm, 'LOG ')
      // helm ends its watches in the middle of reading, and now and then says so.
      .replaceAll(/^LOG reflector\.go.*\n/gm, '')
      .replaceAll(/debugger-[a-z0-9]{5}/g, 'debugger-RANDOM')
      .split('\n')
      .map((line) => line.replaceAll(/(?<=\S) {2,}/g, '  ').trimEnd())
      .join('\n')
  );
}
