import { instancePaths } from '#app/instance-paths.ts';
import { reasonOf, reasons, StatusError } from '#base/errors.ts';

import { findVerb, globalOptions, readArguments, splitAtVerb } from './command-line.ts';
import { generalHelp, groupHelp, verbHelp } from './help.ts';
import type { Output } from './output.ts';
import type { VerbRow } from './verb.ts';

export interface RunOptions {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly rows: readonly VerbRow[];
  readonly output: Output;
  /** Effective user ID. */
  readonly uid: number;
}

/** Runs one command line and returns the exit code. Throws what the verb throws. */
export async function run({ args, env, rows, output, uid }: RunOptions, signal: AbortSignal): Promise<number> {
  const { row, rest, unknown } = findVerb(args, rows);
  if (row === undefined) return withoutVerb(args, rows, output, unknown);
  const verb = await row.load();
  const [before, after] = verb.passesArguments === true ? splitAtVerb(args, row.name) : [rest, []];
  const passesHelp = after.length === 1 && after[0] === '--help';
  const own = passesHelp ? [...before, '--help'] : before;
  const read = readArguments(own, { ...verb.options, ...globalOptions }, verb.operandsMost, row.name);
  const values = verb.passesArguments === true ? { ...read, operands: after } : read;
  if (values.flag('help')) {
    output.line(verbHelp(row.name, verb));
    return 0;
  }
  if (verb.needsRoot && uid !== 0) {
    const way = `run sudo ./slipway ${row.name}`;
    throw new StatusError('Forbidden', `Cannot run slipway ${row.name} as user ${String(uid)}: it needs root; ${way}`);
  }
  const root = values.text('root') ?? (env['SLIPWAY_ROOT'] || '/');
  return verb.run({ ...values, paths: instancePaths(root), env, output, signal });
}

/** Says what went wrong and returns the exit code for it. A defect is shown with its stack. */
export function reportFailure(error: unknown, output: Output): number {
  const reason = reasonOf(error);
  const text =
    error instanceof Error ? (reason === 'Internal' ? (error.stack ?? error.message) : error.message) : String(error);
  output.note(`slipway: ${text}`);
  return reasons[reason].exitCode;
}

function withoutVerb(
  args: readonly string[],
  rows: readonly VerbRow[],
  output: Output,
  unknown: string | undefined,
): number {
  const [first = '', second] = (unknown ?? '').replace(/^help /, '').split(' ');
  const group = rows.filter(({ name }) => name.startsWith(`${first} `));
  if (group.length > 0 && second === undefined) {
    const asksForHelp = unknown !== first || args.includes('--help') || args.includes('-h');
    output.line(groupHelp(first, group));
    return asksForHelp ? 0 : reasons.InvalidArgument.exitCode;
  }
  if (unknown !== undefined && unknown !== 'help') {
    const way = group.length > 0 ? `slipway ${first} --help` : 'slipway --help';
    throw new StatusError('InvalidArgument', `Cannot run slipway ${unknown}: there is no such verb; see ${way}`);
  }
  readArguments(unknown === 'help' ? [] : args, globalOptions, 0, '');
  output.line(generalHelp(rows));
  return args.length === 0 ? reasons.InvalidArgument.exitCode : 0;
}
