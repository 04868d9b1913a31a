import { isObject } from '#base/json.ts';

/** Why a program could not be started: Docker's sentence and the exit code that shells use for it. */
export interface StartFailure {
  readonly message: string;
  /** 127: not found; 126: found but not executable; 128: something else. */
  readonly exitCode: 126 | 127 | 128;
}

const notOnPath = 'executable file not found in $PATH';

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
 * What crun says, in runc's words, which clients know, as far as it is about the program or its working folder; anything
 * else as it is, but for the capital that C libraries begin their errors with. `program`: the first of the arguments.
 */
export function inRuncsWords(action: 'create' | 'exec', message: string, program: string): string {
  const begin = `${action === 'exec' ? 'exec' : 'crun create'} failed: unable to start container process: `;
  const missing = /executable file `(.*)` not found/.exec(message)?.[1];
  if (missing !== undefined) {
    const why = missing.includes('/') ? `stat ${missing}: no such file or directory` : notOnPath;
    return `${begin}exec: "${missing}": ${why}`;
  }
  if (/^(?:open executable|the path `.*` exists but it is not executable)/.test(message))
    return `${begin}exec: "${program}": permission denied`;
  const [, folder, why = ''] = /^chdir `(.*)`: (.*)$/.exec(message) ?? [];
  if (folder !== undefined) return `${begin}chdir to cwd ("${folder}") set in config.json failed: ${why.toLowerCase()}`;
  return message.replace(/: [A-Z][a-z ]+$/, (end) => end.toLowerCase());
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
