import { ControlClient } from '../control-client.ts';
import { statusLines } from '../status-lines.ts';
import type { Verb } from '../verb.ts';

const notRunningExitCode = 3;

export const status: Verb = {
  usage: '[--json]',
  description:
    'Shows the planes and their health, containers, sockets and folders.\n' +
    'Exit code 0: healthy; 1: it runs but is not healthy; 3: it does not run.',
  options: { json: { type: 'boolean', summary: 'print the report as JSON' } },
  operandsMost: 0,
  needsRoot: true,
  run: async ({ paths, flag, output, signal }) => {
    const report = await new ControlClient(paths.controlSocket).status(signal);
    if (flag('json')) output.line(JSON.stringify(report ?? { state: 'down', root: paths.root }));
    else if (report === undefined) output.line(`slipway does not run for root ${paths.root}; start it with slipway up`);
    else for (const line of statusLines(report, paths)) output.line(line);
    if (report === undefined) return notRunningExitCode;
    return report.state === 'healthy' ? 0 : 1;
  },
};
