import type { Instruction, LineRange } from './dockerfile.ts';
import { parseFlags } from './flags.ts';
import { invalid } from './invalid.ts';
import { parseHealthcheck } from './parse-healthcheck.ts';
import { parseArg, parseEnv, parseLabel } from './parse-pairs.ts';
import { parseRun } from './parse-run.ts';
import { parseAdd, parseCopy } from './parse-transfer.ts';
import { splitBlank } from './split-words.ts';
import { jsonWords, readStatement, type Statement } from './statement.ts';
import { suggest } from './suggest.ts';

/** `FROM`, which begins a stage and is no instruction in it. */
export interface FromStatement {
  readonly kind: 'from';
  readonly name: string;
  readonly base: string;
  readonly platform: string;
  readonly at: LineRange;
  readonly code: string;
}

type Parser = (statement: Statement) => Instruction | FromStatement;

const parsers: Readonly<Record<string, Parser>> = {
  ADD: parseAdd,
  ARG: parseArg,
  CMD: (statement) => parseCommand(statement, 'cmd'),
  COPY: parseCopy,
  ENTRYPOINT: (statement) => parseCommand(statement, 'entrypoint'),
  ENV: parseEnv,
  EXPOSE: (statement) => parseList(statement, 'expose', splitBlank(statement.rest)),
  FROM: parseFrom,
  HEALTHCHECK: parseHealthcheck,
  LABEL: parseLabel,
  MAINTAINER: (statement) => parseText(statement, 'maintainer'),
  ONBUILD: parseOnbuild,
  RUN: parseRun,
  SHELL: parseShell,
  STOPSIGNAL: (statement) => parseText(statement, 'stopsignal'),
  USER: (statement) => parseText(statement, 'user'),
  VOLUME: (statement) => parseList(statement, 'volume', jsonWords(statement.rest) ?? splitBlank(statement.rest)),
  WORKDIR: (statement) => parseText(statement, 'workdir'),
};

/** Checks one instruction; throws InvalidArgument with a sentence without place. */
export function parseInstruction(statement: Statement): Instruction | FromStatement {
  const parser = Object.hasOwn(parsers, statement.keyword) ? parsers[statement.keyword] : undefined;
  if (parser === undefined)
    throw invalid(`unknown instruction: ${statement.keyword}${suggest(statement.keyword, Object.keys(parsers))}`);
  return parser(statement);
}

function parseFrom({ flags, rest, at, code }: Statement): FromStatement {
  const words = splitBlank(rest);
  const [base = '', as = '', written = ''] = words;
  if (words.length !== 1 && !(words.length === 3 && as.toLowerCase() === 'as'))
    throw invalid('FROM requires either one or three arguments');
  const name = written.toLowerCase();
  if (words.length === 3 && !/^[a-z][a-z0-9._-]*$/.test(name))
    throw invalid(
      `invalid name for build stage: ${JSON.stringify(written)}, name can't start with a number or contain symbols`,
    );
  const platform = parseFlags(flags, { platform: 'text' }).text('platform');
  return { kind: 'from', base, name, platform, at, code };
}

function parseCommand(statement: Statement, kind: 'cmd' | 'entrypoint'): Instruction {
  parseFlags(statement.flags, {});
  const json = jsonWords(statement.rest);
  const shell = statement.rest === '' ? [] : [statement.rest];
  const command = json === undefined ? { form: 'shell' as const, args: shell } : { form: 'exec' as const, args: json };
  return { kind, command, at: statement.at, code: statement.code };
}

function parseText(
  { keyword, flags, rest, at, code }: Statement,
  kind: 'maintainer' | 'stopsignal' | 'user' | 'workdir',
): Instruction {
  parseFlags(flags, {});
  if (rest === '') throw invalid(`${keyword} requires exactly one argument`);
  return { kind, value: rest, at, code };
}

function parseList(
  { keyword, flags, at, code }: Statement,
  kind: 'expose' | 'volume',
  values: readonly string[],
): Instruction {
  parseFlags(flags, {});
  if (values.length === 0) throw invalid(`${keyword} requires at least one argument`);
  if (values.some((value) => value.trim() === '')) throw invalid(`${keyword} specified can not be an empty string`);
  return { kind, values: values.map((value) => value.trim()), at, code };
}

function parseShell(statement: Statement): Instruction {
  parseFlags(statement.flags, {});
  const values = jsonWords(statement.rest);
  if (values === undefined && statement.rest !== '')
    throw invalid(`SHELL requires the arguments to be in JSON form, such as SHELL ["/bin/sh", "-c"]`);
  if (values === undefined || values.length === 0) throw invalid('SHELL requires at least one argument');
  return { kind: 'shell', values, at: statement.at, code: statement.code };
}

/** The trigger is checked now and kept as text, with its here-documents behind it. */
function parseOnbuild(statement: Statement): Instruction {
  const { flags, rest, heredocs, escape, at, code } = statement;
  parseFlags(flags, {});
  if (rest === '') throw invalid('ONBUILD requires at least one argument');
  const trigger = readStatement({ text: rest, at, heredocs }, escape);
  if (trigger.keyword === 'ONBUILD') throw invalid("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (trigger.keyword === 'FROM' || trigger.keyword === 'MAINTAINER')
    throw invalid(`${trigger.keyword} isn't allowed as an ONBUILD trigger`);
  parseInstruction(trigger);
  const bodies = heredocs.map(({ name, content }) => `\n${content}${name}`);
  return { kind: 'onbuild', value: rest + bodies.join(''), at, code };
}
