import { readFileSync, writeFileSync } from 'node:fs';

import { command as kitCommand } from '../../kit/command.ts';

/** One command of a script with what it shall print. */
interface Exchange {
  readonly command: string;
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

/** Lines `# ...` are remarks, `$ ...` commands for bash; what follows a command is what it prints, without what varies. */
export async function runScript(run: ScriptRun): Promise<{ readonly expected: string; readonly actual: string }> {
  const text = readFileSync(run.path, 'utf8');
  const { head, exchanges } = parseScript(text);
  const printed: Exchange[] = [];
  for (const { command } of exchanges) printed.push({ command, expected: await runCommand(command, run) });
  const actual = format(head, printed);
  if (run.isRecording) writeFileSync(run.path, actual);
  return { expected: run.isRecording ? actual : text, actual };
}

function parseScript(text: string): { readonly head: readonly string[]; readonly exchanges: readonly Exchange[] } {
  const head: string[] = [];
  const exchanges: { command: string; lines: string[] }[] = [];
  for (const line of text.trimEnd().split('\n')) {
    if (line.startsWith('$ ')) exchanges.push({ command: line.slice(2), lines: [] });
    else if (exchanges.length === 0) head.push(line);
    else exchanges.at(-1)?.lines.push(line);
  }
  return { head, exchanges: exchanges.map(({ command, lines }) => ({ command, expected: lines.join('\n') })) };
}

function format(head: readonly string[], exchanges: readonly Exchange[]): string {
  const parts = exchanges.map(({ command, expected }) => `$ ${command}\n${expected === '' ? '' : `${expected}\n`}`);
  return `${head.join('\n')}\n${parts.join('')}`;
}

/** What it prints on both streams, and its exit code when it is not 0. */
async function runCommand(command: string, { folder, env }: ScriptRun): Promise<string> {
  const options = { cwd: folder, env: { ...env }, timeoutMs: commandTimeoutMs };
  const { code, stdout } = await kitCommand('bash', ['-c', `exec 2>&1\n${command}`], options);
  const text = withoutChance(stdout).trimEnd();
  return code === 0 ? text : [text, `[exit ${String(code)}]`].filter((one) => one !== '').join('\n');
}

/** Output without what differs from run to run: times, identifiers, revisions, random names, padding. */
function withoutChance(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UID')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, 'TIME')
    .replaceAll(/[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000/g, 'TIME')
    .replaceAll(/(resourceVersion"?: ?"?)\d+/g, '$1N')
    .replaceAll(/https:\/\/127\.0\.0\.1:\d+/g, 'https://SERVER')
    .replaceAll(/X509SHA256=[0-9a-f]+/g, 'X509SHA256=HASH')
    .replaceAll(/\/tmp\/[\w./-]+/g, 'PATH')
    .replaceAll(/kube-api-access-[a-z0-9]{5}/g, 'kube-api-access-RANDOM')
    .replaceAll(/(?<!cpu\W*)\b(\d+[smhd])+( ago)?\b/g, 'AGE')
    .replaceAll(/<invalid>/g, 'AGE')
    .split('\n')
    .map((line) => line.replaceAll(/ {2,}/g, '  ').trimEnd())
    .join('\n');
}
