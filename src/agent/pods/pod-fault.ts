import { messageOf, StatusError } from '#base/errors.ts';
import type { Pod } from '#kube/types/gen/core-v1.ts';

import type { Waiting } from '../lifecycle/container-statuses.ts';

/** A container cannot be started: why, in the words of its pod's status. */
export class ContainerFault extends StatusError {
  readonly waiting: Waiting;

  constructor(reason: string, cause: unknown) {
    super('Unavailable', messageOf(cause), { cause });
    this.waiting = { reason, message: messageOf(cause) };
  }
}

/** Throws NotSupported for a pod that asks for what this node does not do: it must not run without. */
export function checkSupported({ spec }: Pod): void {
  if (spec?.shareProcessNamespace === true)
    throw new StatusError('NotSupported', 'shareProcessNamespace is not carried out by this node');
}
