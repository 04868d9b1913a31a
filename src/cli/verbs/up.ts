import { readConfig } from '#app/config.ts';

import { ControlClient } from '../control-client.ts';
import { startDaemon } from '../daemon-process.ts';
import { setOption } from '../set-option.ts';
import { clientHint, statusLines } from '../status-lines.ts';
import type { Verb } from '../verb.ts';
import { slipwayVersion } from '#app/version.ts';

export const up: Verb = {
  usage: '[--set KEY=VALUE]...',
  description:
    'Starts the platform in the background, waits until it is healthy, and says what runs and what to try next.\n' +
    'When it runs already, says so and changes nothing. Containers that still run are taken over as they are.\n' +
    '`./slipway up` installs what is missing on this machine first.',
  options: setOption,
  operandsMost: 0,
  needsRoot: true,
  run: async ({ paths, env, texts, output, signal }) => {
    const client = new ControlClient(paths.controlSocket);
    const before = await client.status(signal);
    // Wrong settings are told here, not in the log of a daemon that died of them.
    await readConfig({ configFile: paths.configFile, env, flags: texts('set') });
    if (before?.state === 'degraded') {
      for (const line of statusLines(before, paths)) output.line(line);
      return 1;
    }
    const report = before?.state === 'healthy' ? before : await startDaemon(paths, texts('set'), client, signal);
    for (const line of statusLines(report, paths)) output.line(line);
    const hint = clientHint(report);
    if (hint !== undefined) output.line(`\n${hint}`);
    if (before === undefined) output.line(`\n${nextSteps}`);
    else
      output.line(
        before.version === slipwayVersion() ? '\nAll is well: it was up already.' : otherVersion(before.version),
      );
    return 0;
  },
};

const nextSteps = [
  'Try next:',
  '  ./slipway image bootstrap debian',
  '  docker build -t flask-app:1.0 examples/hello-flask',
  '  docker run -d --name web -p 80:5000 flask-app:1.0',
  '  curl -s http://localhost/',
].join('\n');

function otherVersion(running: string): string {
  return `\nVersion ${running} still runs; slipway down --keep and slipway up start ${slipwayVersion()} without stopping containers.`;
}
