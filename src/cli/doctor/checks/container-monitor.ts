import type { Check } from '../check.ts';
import { checkProgram } from '../check-program.ts';

export const containerMonitor: Check = {
  name: 'conmon',
  run: (host) => checkProgram(host, 'conmon', [2, 0], 'holds running containers'),
};
