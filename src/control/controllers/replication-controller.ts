import { kindOf } from '#kube/client/client.ts';
import { replicationController } from '#kube/kinds/core/replication-controller.ts';
import { selectionOfMap } from '#kube/selectors/label-selector.ts';
import type { ReplicationController } from '#kube/types/gen/core-v1.ts';

import { replicatePods } from './replicate-pods.ts';

export const replicationControllerController = replicatePods<ReplicationController>({
  name: 'replicationcontroller',
  kind: kindOf<ReplicationController>(replicationController),
  component: 'replication-controller',
  // An empty one would mean all pods.
  selectionOf: ({ spec }) =>
    Object.keys(spec?.selector ?? {}).length === 0 ? 'nothing' : selectionOfMap(spec?.selector),
});
