import { isObject } from '#base/json.ts';

/** Why a program could not be started: Docker's sentence and the exit code that shells use for it. */
export interface StartFailure {
  readonly message: string;
  /** 127: not found; 126: found but not executable; 128: something else. */
  readonly exitCode: 126 | 127 | 128;
}

/** The last error in a log that a runtime wrote with `--log-format=json`; undefined when there is none. */
export function lastRuntimeError(log: string): string | undefined {
  for (const line of log.trimEnd().split('\n').toReversed()) {
    const entry = parse(line);
    if (entry?.['level'] === 'error' && typeof entry['msg'] === 'string') return entry['msg'];
  }
  return undefined;
}

/** What to say for a runtime that wrote no error into its log: the first line that it printed. */
export function lastWords(printed: string): string {
  const [line = ''] = printed.trim().split('\n');
  return line === '' ? 'the runtime ended without a word' : line;
}

/**
 * What crun says of a program that it cannot execute, in runc's words, which clients know; anything else as it is.
 * `program`: the first of the arguments.
 */
export function inRuncsWords(message: string, program: string): string {
  const missing = /executable file `(.*)` not found/.exec(message)?.[1];
  const quoted = `unable to start container process: exec: "${missing ?? program}": `;
  if (missing?.includes('/') === true) return `${quoted}stat ${missing}: no such file or directory`;
  if (missing !== undefined) return `${quoted}executable file not found in $PATH`;
  const refused = /^(?:open executable|the path `.*` exists but it is not executable)(?:: (.*))?$/.exec(message);
  return refused === null ? message : `${quoted}${(refused[1] ?? 'permission denied').toLowerCase()}`;
}

/**
 * Translates what a runtime says when it cannot start a container's or an exec's program. Runtimes have no error codes,
 * their text is all there is: the same words that Docker decides by (moby, daemon/errors.go).
 */
export function startFailure(action: 'create' | 'exec', runtimeMessage: string): StartFailure {
  const text = runtimeMessage.toLowerCase();
  const prefix =
    action === 'create'
      ? 'failed to create task for container: failed to create shim task: OCI runtime create failed: '
      : 'OCI runtime exec failed: ';
  const hint = text.includes('not a directory')
    ? ': Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type'
    : '';
  return { message: `${prefix}${runtimeMessage}: unknown${hint}`, exitCode: codeOf(text) };
}

function codeOf(text: string): StartFailure['exitCode'] {
  const isAboutProgram = text.includes('exec:') || text.includes('exec ') || text.includes('stat ');
  if (text.includes('executable file not found')) return 127;
  if (text.includes('permission denied') || text.includes('is a directory')) return 126;
  if (isAboutProgram && text.includes('no such file or directory')) return 127;
  return text.includes('not a directory') ? 127 : 128;
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
