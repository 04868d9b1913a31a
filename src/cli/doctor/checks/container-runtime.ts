import type { Check } from '../check.ts';
import { checkProgram } from '../check-program.ts';

/** One of the two is enough; the engine takes crun where both can be used. */
export const containerRuntime: Check = {
  name: 'runtime',
  run: async (host) => {
    const [crun, runc] = await Promise.all([
      checkProgram(host, 'crun', [1, 8], 'starts containers'),
      checkProgram(host, 'runc', [1, 1], 'starts containers'),
    ]);
    if (crun.state !== 'ok') return runc;
    return runc.state === 'ok' ? { state: 'ok', text: `${crun.text}, ${runc.text}` } : crun;
  },
};
