import { kindOf } from '#kube/client/client.ts';
import { replicaSet } from '#kube/kinds/apps/replica-set.ts';
import { selectionOf } from '#kube/selectors/label-selector.ts';
import type { ReplicaSet } from '#kube/types/gen/apps-v1.ts';

import { replicatePods } from './replicate-pods.ts';

const replicaSets = kindOf<ReplicaSet>(replicaSet);

export const replicaSetController = replicatePods<ReplicaSet>({
  name: 'replicaset',
  kind: replicaSets,
  component: 'replicaset-controller',
  selectionOf: ({ spec }) => selectionOf(spec?.selector) ?? 'nothing',
});
