import { readConfig } from '#app/config.ts';
import { messageOf } from '#base/errors.ts';

import type { Check } from '../check.ts';

export const configuration: Check = {
  name: 'configuration',
  run: async (host) => {
    const { configFile } = host.paths;
    try {
      const { explained } = await readConfig({ configFile, env: host.env, flags: [] });
      const set = explained.filter(({ source }) => source !== 'default').length;
      return {
        state: 'ok',
        text: set === 0 ? 'all settings have their defaults' : `${String(set)} settings are not default`,
      };
    } catch (error) {
      return { state: 'fail', text: messageOf(error), fix: `editor ${configFile}` };
    }
  },
};
