import type { Node } from '#kube/types/gen/core-v1.ts';

import type { AdmissionPlugin } from '../admission.ts';
import { isAbout } from '../refusal.ts';

const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' } as const;

/** A node that has just come takes no pods before its first report. */
export function taintNodesByCondition(): AdmissionPlugin {
  return {
    name: 'TaintNodesByCondition',
    mutate: (request) => {
      if (request.operation !== 'CREATE' || !isAbout(request, '', 'nodes')) return;
      const spec = ((request.object as Node).spec ??= {});
      const taints = spec.taints ?? [];
      const hasIt = taints.some(({ key, effect }) => key === notReady.key && effect === notReady.effect);
      if (!hasIt) spec.taints = [...taints, { ...notReady }];
    },
  };
}
