import { messageOf, StatusError } from '#base/errors.ts';
import type { Container, Pod } from '#kube/types/gen/core-v1.ts';

import type { Waiting } from '../lifecycle/container-statuses.ts';

/** A container cannot be started: why, in the words of its pod's status. */
export class ContainerFault extends StatusError {
  readonly waiting: Waiting;

  constructor(reason: string, cause: unknown) {
    super('Unavailable', messageOf(cause), { cause });
    this.waiting = { reason, message: messageOf(cause) };
  }
}

/** What this node does not do for containers. */
const undone = ['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'] as const;

/** Throws NotSupported for a container that asks for what this node does not do: it must not run without. */
export function checkSupported({ spec }: Pod, container: Container): void {
  const found = undone.find((field) => container[field] !== undefined);
  if (found !== undefined) throw new StatusError('NotSupported', `${found} is not carried out by this node`);
  if (spec?.shareProcessNamespace === true)
    throw new StatusError('NotSupported', 'shareProcessNamespace is not carried out by this node');
}
