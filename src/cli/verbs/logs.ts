import { followLog, lastLines } from '../log-reader.ts';
import { StatusError } from '#base/errors.ts';
import type { Verb } from '../verb.ts';

const defaultLines = 100;
const linesMost = 100_000;

export const logs: Verb = {
  usage: '[-f] [-n LINES]',
  description:
    "Prints the end of the platform's own log, which is JSON lines. What containers print is shown by `docker logs`.",
  options: {
    follow: { type: 'boolean', short: 'f', summary: 'go on as the log grows, until Ctrl-C' },
    lines: {
      type: 'string',
      short: 'n',
      value: 'LINES',
      summary: `how many lines, ${String(defaultLines)} unless given`,
    },
  },
  operandsMost: 0,
  needsRoot: true,
  run: async ({ paths, flag, text, output, signal }) => {
    const wanted = text('lines') ?? String(defaultLines);
    const count = /^\d{1,6}$/.test(wanted) ? Number(wanted) : linesMost + 1;
    if (count > linesMost) {
      throw new StatusError(
        'InvalidArgument',
        `Cannot print ${wanted} lines: want a number up to ${String(linesMost)}`,
      );
    }
    const end = lastLines(paths.logFile, count, (line) => output.line(line));
    if (end === undefined) {
      throw new StatusError('NotFound', `Cannot read "${paths.logFile}": there is no log yet; slipway up starts one`);
    }
    if (flag('follow')) await followLog(paths.logFile, end, (chunk) => output.raw(chunk), signal);
    return 0;
  },
};
