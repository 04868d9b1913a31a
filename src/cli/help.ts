import { describeOptions, globalOptions } from './command-line.ts';
import { columns } from './output.ts';
import type { Verb, VerbRow } from './verb.ts';

/** `slipway --help`. */
export function generalHelp(rows: readonly VerbRow[]): string {
  return [
    'Usage: slipway [--root DIR] VERB [OPTION]...',
    '',
    'A container platform in one program: docker build, docker run and what follows.',
    '',
    'Verbs:',
    ...columns(
      [...rows.map((row) => [row.name, row.summary]), ['test', 'run all tests of this source tree (./slipway only)']],
      '  ',
    ),
    '',
    'Options of every verb:',
    ...columns(describeOptions(globalOptions), '  '),
  ].join('\n');
}

/** `slipway GROUP --help`: the verbs that begin with a word. */
export function groupHelp(group: string, rows: readonly VerbRow[]): string {
  return [
    `Usage: slipway ${group} VERB [OPTION]...`,
    '',
    'Verbs:',
    ...columns(
      rows.map((row) => [row.name.slice(group.length + 1), row.summary]),
      '  ',
    ),
    '',
    `slipway ${group} VERB --help shows the options of one.`,
  ].join('\n');
}

/** `slipway VERB --help`. */
export function verbHelp(name: string, verb: Verb): string {
  const options = describeOptions({ ...verb.options, ...globalOptions });
  return [
    `Usage: slipway ${name} ${verb.usage}`.trimEnd(),
    '',
    verb.description,
    '',
    'Options:',
    ...columns(options, '  '),
  ].join('\n');
}
