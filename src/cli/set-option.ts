import type { Options } from './verb.ts';

/** `--set`, for the verbs that read the configuration. */
export const setOption: Options = {
  set: {
    type: 'string',
    multiple: true,
    value: 'KEY=VALUE',
    summary: 'set one setting of slipway.yaml for this run, such as log.level=debug; may be repeated',
  },
};
