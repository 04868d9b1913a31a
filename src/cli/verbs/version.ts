import { slipwayVersion } from '#app/version.ts';

import type { Verb } from '../verb.ts';

export const version: Verb = {
  usage: '',
  description: 'Prints the version of this tree. `slipway status` shows the one that runs.',
  options: {},
  operandsMost: 0,
  needsRoot: false,
  run: async ({ output }) => {
    output.line(`slipway ${slipwayVersion()}`);
    return 0;
  },
};
