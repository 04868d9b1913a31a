import { type Client, keyOf, kindOf } from '#kube/client/client.ts';
import { pod } from '#kube/kinds/core/pod.ts';
import { ApiError } from '#kube/status.ts';
import type { Pod } from '#kube/types/gen/core-v1.ts';

import { unlessNotFound } from './claim-objects.ts';
import type { EventText } from './record-event.ts';

const pods = kindOf<Pod>(pod);

/** Tells an event of the pods' owner. */
export type Tell = (text: EventText) => Promise<void>;

/** Makes a pod of a workload, and tells of it or of why it could not be. */
export async function createPod(made: Pod, client: Client, tell: Tell, signal: AbortSignal): Promise<void> {
  try {
    await client.create(pods, made, {}, signal);
  } catch (error) {
    // Nothing can be made in a namespace that goes, and that is well known.
    const causes = error instanceof ApiError ? (error.details?.causes ?? []) : [];
    if (causes.some(({ reason }) => reason === 'NamespaceTerminating')) return;
    await tell({ type: 'Warning', reason: 'FailedCreate', message: `Error creating: ${textOf(error)}` });
    throw error;
  }
  await tell({ type: 'Normal', reason: 'SuccessfulCreate', message: `Created pod: ${made.metadata.name ?? ''}` });
}

/** Deletes a pod of a workload, and tells of it or of why it could not be. */
export async function deletePod(one: Pod, client: Client, tell: Tell, signal: AbortSignal): Promise<void> {
  const { name = '', uid } = one.metadata;
  try {
    const options = uid === undefined ? {} : { preconditions: { uid } };
    await client.delete(pods, keyOf(one), options, signal).catch(unlessNotFound);
  } catch (error) {
    await tell({ type: 'Warning', reason: 'FailedDelete', message: `Error deleting: ${textOf(error)}` });
    throw error;
  }
  await tell({ type: 'Normal', reason: 'SuccessfulDelete', message: `Deleted pod: ${name}` });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
