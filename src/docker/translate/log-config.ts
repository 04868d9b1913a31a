import { StatusError } from '#base/errors.ts';
import { parseLogOptions } from '#engine/logs/log-options.ts';
import type { ContainerSpec } from '#engine/runtime/container.ts';

import type { HostConfig } from './host-config-fields.ts';

/** The log driver: `json-file` (also when none is named), `local` or `none`; throws NotSupported for others. */
export function logConfig(config: NonNullable<HostConfig['LogConfig']>): ContainerSpec['log'] {
  const driver = config.Type || 'json-file';
  if (driver !== 'json-file' && driver !== 'local' && driver !== 'none') {
    throw new StatusError(
      'NotSupported',
      `Cannot log by the driver "${driver}": use json-file, local or none, and ship the logs from there`,
    );
  }
  const options = config.Config ?? {};
  parseLogOptions(driver, options);
  return { driver, options };
}
