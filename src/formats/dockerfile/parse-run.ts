import type { Heredoc, Instruction } from './dockerfile.ts';
import { parseFlags } from './flags.ts';
import { invalid } from './invalid.ts';
import { parseRunMount, runMountFrom } from './run-mount.ts';
import { jsonWords, type Statement } from './statement.ts';
import { suggest } from './suggest.ts';

const networks = ['default', 'none', 'host'] as const;
const securities = ['sandbox', 'insecure'] as const;

export function parseRun({ flags: words, rest, heredocs, at, code }: Statement): Instruction {
  const flags = parseFlags(words, { mount: 'list', network: 'text', security: 'text', device: 'list' });
  const mounts = flags.list('mount');
  for (const mount of mounts) {
    if (runMountFrom(mount).includes('$'))
      throw invalid("'from' doesn't support variable expansion, define alias stage instead");
    // With variables in it, the rest can only be checked when they have values.
    if (!mount.includes('$')) parseRunMount(mount);
  }
  const json = jsonWords(rest);
  if ((json ?? rest).length === 0) throw invalid('RUN requires at least one argument');
  return {
    kind: 'run',
    command: json === undefined ? { form: 'shell', args: [rest] } : { form: 'exec', args: json },
    heredocs: heredocs satisfies readonly Heredoc[],
    mounts,
    network: oneOf('network mode', flags.text('network'), networks),
    security: oneOf('security mode', flags.text('security'), securities),
    devices: flags.list('device'),
    at,
    code,
  };
}

/** The first name is what nothing means. */
function oneOf<T extends string>(what: string, value: string, names: readonly [T, ...T[]]): T {
  const found = value === '' ? names[0] : names.find((name) => name === value);
  if (found === undefined) throw invalid(`unsupported ${what} ${JSON.stringify(value)}${suggest(value, names)}`);
  return found;
}
