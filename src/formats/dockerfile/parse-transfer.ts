import type { Heredoc, Instruction } from './dockerfile.ts';
import { type FlagKind, parseFlags } from './flags.ts';
import { heredocOf } from './heredoc.ts';
import { invalid } from './invalid.ts';
import { splitBlank } from './split-words.ts';
import { jsonWords, type Statement } from './statement.ts';

const common = { chown: 'text', chmod: 'text', link: 'boolean', exclude: 'list' } as const satisfies Record<
  string,
  FlagKind
>;

export function parseCopy(statement: Statement): Instruction {
  const flags = parseFlags(statement.flags, { ...common, from: 'text', parents: 'boolean' });
  const from = flags.text('from');
  if (from.includes('$'))
    throw invalid(
      'variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround',
    );
  return { kind: 'copy', from, parents: flags.boolean('parents') ?? false, ...transferOf(statement, flags) };
}

export function parseAdd(statement: Statement): Instruction {
  const flags = parseFlags(statement.flags, {
    ...common,
    checksum: 'text',
    'keep-git-dir': 'boolean',
    unpack: 'boolean',
  });
  return {
    kind: 'add',
    checksum: flags.text('checksum'),
    keepGitDir: flags.boolean('keep-git-dir') ?? false,
    unpack: flags.boolean('unpack'),
    ...transferOf(statement, flags),
  };
}

function transferOf({ keyword, rest, heredocs, at, code }: Statement, flags: ReturnType<typeof parseFlags>) {
  const json = jsonWords(rest);
  const words = json ?? splitBlank(rest);
  if (words.length < 2)
    throw invalid(
      `${keyword} requires at least two arguments, but only one was provided. Destination could not be determined`,
    );
  const destination = words.at(-1) ?? '';
  const contents = new Map(heredocs.map((heredoc) => [heredoc.name, heredoc]));
  const inline = (word: string): Heredoc | undefined =>
    json === undefined ? contents.get(heredocOf(word)?.name ?? '') : undefined;
  if (inline(destination) !== undefined) throw invalid(`${keyword} cannot accept a heredoc as a destination`);
  const sources = words.slice(0, -1);
  return {
    sources: sources.filter((word) => inline(word) === undefined),
    inlineFiles: sources.flatMap((word) => inline(word) ?? []),
    destination,
    chown: flags.text('chown'),
    chmod: flags.text('chmod'),
    link: flags.boolean('link') ?? false,
    exclude: flags.list('exclude'),
    at,
    code,
  };
}
