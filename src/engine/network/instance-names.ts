import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';

/** The names of one instance's kernel objects and folders. */
export interface InstanceNames {
  /** Name of the nftables table, and the owner written onto bridges and rules. */
  readonly table: string;
  /** Interface of the default network. */
  readonly defaultBridge: string;
  readonly netnsFolder: string;
  readonly recordFolder: string;
}

/** `instance`: '' or 1 to 6 lower-case letters and digits, so that interface names stay within 15 bytes. */
export function instanceNames(instance: string, runDir: string): InstanceNames {
  if (!/^[a-z0-9]{0,6}$/.test(instance)) {
    const message = `Cannot use instance name "${instance}": want at most 6 lower-case letters and digits`;
    throw new StatusError('InvalidArgument', message);
  }
  return {
    table: instance === '' ? 'slipway' : `slipway-${instance}`,
    defaultBridge: instance === '' ? 'slipway0' : `slip-${instance}0`,
    netnsFolder: join(runDir, 'netns'),
    recordFolder: join(runDir, 'network'),
  };
}
