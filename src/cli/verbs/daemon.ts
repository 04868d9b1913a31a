import { boot } from '#app/boot.ts';
import { readConfig } from '#app/config.ts';

import { setOption } from '../set-option.ts';
import type { Verb } from '../verb.ts';

export const daemon: Verb = {
  usage: '[--set KEY=VALUE]... [--log-file]',
  description:
    'Runs the platform in the foreground until SIGTERM, SIGINT or `slipway down`. Containers outlive it: the next start\n' +
    'takes them over as they are. Use `slipway up` to run it in the background.',
  options: {
    ...setOption,
    'log-file': { type: 'boolean', summary: "log to the instance's log file instead of stderr" },
  },
  operandsMost: 0,
  needsRoot: true,
  run: async ({ paths, env, flag, texts }) => {
    const config = await readConfig({ configFile: paths.configFile, env, flags: texts('set') });
    const log = flag('log-file') ? 'file' : 'stderr';
    await boot({ config, paths, env, log });
    return 0;
  },
};
