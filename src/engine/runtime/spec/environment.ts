const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface EnvironmentInput {
  readonly hostname: string;
  readonly tty: boolean;
  /** Home directory of the user in the container's passwd, `/` when it has none. */
  readonly home: string;
  /** `NAME=value`; a name alone takes the variable away. */
  readonly env: readonly string[];
}

/** A process's environment: Docker's defaults, overridden by what the container says, in Docker's order. */
export function resolveEnvironment(input: EnvironmentInput): readonly string[] {
  const variables = new Map<string, string>();
  const set = (entry: string): void => {
    const end = entry.indexOf('=');
    if (end > 0) variables.set(entry.slice(0, end), entry);
    else variables.delete(entry);
  };
  set(defaultPath);
  set(`HOSTNAME=${input.hostname}`);
  if (input.tty) set('TERM=xterm');
  for (const entry of input.env) set(entry);
  if (!variables.has('HOME') || variables.get('HOME') === 'HOME=') set(`HOME=${input.home}`);
  return [...variables.values()];
}
