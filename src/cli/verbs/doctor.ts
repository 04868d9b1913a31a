import type { Verb } from '../verb.ts';
export const doctor: Verb = {
  usage: '',
  description: '',
  options: {},
  operandsMost: 0,
  needsRoot: true,
  run: async () => 0,
};
