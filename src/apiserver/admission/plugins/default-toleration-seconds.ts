import type { Pod, Toleration } from '#kube/types/gen/core-v1.ts';

import type { AdmissionPlugin } from '../admission.ts';
import { isAbout } from '../refusal.ts';

/** As long a pod stays on a node that is not ready or not reachable. */
const tolerationSeconds = 300;
const taints = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

export function defaultTolerationSeconds(): AdmissionPlugin {
  return {
    name: 'DefaultTolerationSeconds',
    mutate: (request) => {
      const isWrite = request.operation === 'CREATE' || request.operation === 'UPDATE';
      if (!isWrite || !isAbout(request, '', 'pods')) return;
      const spec = ((request.object as Pod).spec ??= {});
      const given = spec.tolerations ?? [];
      const missing = taints.filter((key) => !given.some((one) => tolerates(one, key)));
      if (missing.length === 0) return;
      const added = missing.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds }));
      spec.tolerations = [...given, ...added];
    },
  };
}

function tolerates({ key = '', effect = '' }: Toleration, taint: string): boolean {
  return (key === taint || key === '') && (effect === 'NoExecute' || effect === '');
}
