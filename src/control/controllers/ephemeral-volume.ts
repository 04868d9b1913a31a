import { kindOf, type ObjectKey } from '#kube/client/client.ts';
import { pod } from '#kube/kinds/core/pod.ts';
import type { PersistentVolumeClaim, Pod } from '#kube/types/gen/core-v1.ts';

import { type Controller, inputOf, type Outcome, type World } from '../controller.ts';
import { claims } from './claim-binder.ts';
import { isPodGoing } from './pod-state.ts';
import { events, recordEvent } from './record-event.ts';

const pods = kindOf<Pod>(pod);

/** Makes the claims of volumes that live as long as their pods; the garbage collector takes them away with those. */
export const ephemeralVolumeController: Controller<Pod> = {
  name: 'ephemeral-volume',
  primary: pods,
  inputs: [
    inputOf(claims, ({ metadata }) =>
      (metadata.ownerReferences ?? [])
        .filter(({ kind, controller }) => kind === 'Pod' && controller === true)
        .map(({ name }) => ({ namespace: metadata.namespace ?? '', name })),
    ),
  ],
  outputs: [claims, events],
  reconcile,
};

async function reconcile(key: ObjectKey, world: World<Pod>, signal: AbortSignal): Promise<Outcome> {
  const one = world.primary.get(key);
  if (one === undefined || isPodGoing(one)) return {};
  for (const { name = '', ephemeral } of one.spec?.volumes ?? []) {
    const template = ephemeral?.volumeClaimTemplate;
    if (template === undefined) continue;
    const claimKey = { namespace: key.namespace, name: `${key.name}-${name}` };
    const there = world.informer(claims).get(claimKey);
    if (there === undefined) await world.client.create(claims, claimOf(one, claimKey, template), {}, signal);
    else if (there.metadata.ownerReferences?.some(({ uid }) => uid === one.metadata.uid) !== true) {
      const message = `PVC ${claimKey.namespace}/${claimKey.name} was not created for pod ${key.namespace}/${key.name} (pod is not owner)`;
      const text = { type: 'Warning', reason: 'EphemeralVolumeCreationFailed', message } as const;
      await recordEvent(world.client, 'ephemeral_volume', one, text, world.nowMs(), signal);
      throw new Error(message);
    }
  }
  return {};
}

function claimOf(
  { metadata: { name = '', uid = '' } }: Pod,
  key: ObjectKey,
  template: Pick<PersistentVolumeClaim, 'spec'> & { readonly metadata?: PersistentVolumeClaim['metadata'] },
): PersistentVolumeClaim {
  const { labels, annotations } = template.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      ...key,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name, uid, controller: true, blockOwnerDeletion: true }],
    },
    ...(template.spec === undefined ? {} : { spec: template.spec }),
  };
}
