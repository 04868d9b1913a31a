import { StatusError } from '#base/errors.ts';

import { ControlClient } from '../control-client.ts';
import type { Verb } from '../verb.ts';

export const volumeResize: Verb = {
  usage: 'NAME SIZE',
  description:
    'Gives a volume that was made with --opt size=... more room; it does not shrink. While containers use it, this\n' +
    'needs a daemon with CAP_SYS_RESOURCE.',
  options: {},
  operandsMost: 2,
  needsRoot: true,
  run: async ({ paths, operands, output, signal }) => {
    const [name = '', size = ''] = operands;
    if (name === '' || size === '')
      throw new StatusError('InvalidArgument', 'Cannot resize: write slipway volume resize NAME SIZE, such as 20g');
    const query = new URLSearchParams({ name, size });
    const response = await new ControlClient(paths.controlSocket).send(
      'POST',
      `/volumes/resize?${query.toString()}`,
      undefined,
      signal,
    );
    response.resume();
    output.line(`${name}  ${size}`);
    return 0;
  },
};
