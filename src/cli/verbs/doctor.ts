import { checks } from '../doctor/checks.ts';
import { thisHost } from '../doctor/this-host.ts';
import { columns } from '../output.ts';
import type { Verb } from '../verb.ts';

export const doctor: Verb = {
  usage: '[--json]',
  description:
    'Checks this machine, and for each thing that is wrong prints the command that mends it. Changes nothing.\n' +
    'Exit code 1 when a check fails; warnings do not count.',
  options: { json: { type: 'boolean', summary: 'print the findings as JSON' } },
  operandsMost: 0,
  needsRoot: true,
  run: async ({ paths, env, flag, output, signal }) => {
    const host = thisHost(paths, env, signal);
    const findings = await Promise.all(checks.map(async (check) => ({ name: check.name, ...(await check.run(host)) })));
    if (flag('json')) output.line(JSON.stringify(findings));
    else {
      const rows = findings.map(({ state, name, text }) => [state === 'ok' ? 'ok' : state.toUpperCase(), name, text]);
      for (const [index, line] of columns(rows).entries()) {
        output.line(line);
        const fix = findings[index]?.fix;
        if (fix !== undefined) output.line(`      mend it with: ${fix}`);
      }
    }
    return findings.some(({ state }) => state === 'fail') ? 1 : 0;
  },
};
