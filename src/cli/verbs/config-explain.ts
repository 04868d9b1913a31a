import { readConfig } from '#app/config.ts';

import { columns } from '../output.ts';
import { setOption } from '../set-option.ts';
import type { Verb } from '../verb.ts';

export const configExplain: Verb = {
  usage: '[--set KEY=VALUE]...',
  description:
    'Prints every setting, its value in force and where it came from: flag, environment, file with line, or default.\n' +
    'Options come before the environment, the environment before slipway.yaml, and that before the default.',
  options: setOption,
  operandsMost: 0,
  needsRoot: false,
  run: async ({ paths, env, texts, output }) => {
    const config = await readConfig({ configFile: paths.configFile, env, flags: texts('set') });
    const rows = config.explained.map(({ key, value, source, origin }) => [
      key,
      source,
      origin || '-',
      JSON.stringify(value),
    ]);
    for (const line of columns([['SETTING', 'SOURCE', 'ORIGIN', 'VALUE'], ...rows])) output.line(line);
    return 0;
  },
};
