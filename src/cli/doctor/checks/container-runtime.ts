import type { Check } from '../check.ts';
import { checkProgram } from '../check-program.ts';

export const containerRuntime: Check = {
  name: 'runc',
  run: (host) => checkProgram(host, 'runc', [1, 1], 'starts containers'),
};
