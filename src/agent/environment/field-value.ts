import { StatusError } from '#base/errors.ts';
import type { Pod } from '#kube/types/gen/core-v1.ts';
import { goQuoted } from '#kube/validation/faults.ts';

import type { PodFacts } from './pod-sources.ts';

/** The value of a field of a pod as containers may ask for it (fieldRef). Throws InvalidArgument for other paths. */
export function fieldValue(pod: Pod, path: string, facts: PodFacts): string {
  const { metadata, spec } = pod;
  const key = /^metadata\.(labels|annotations)\['(.*)'\]$/s.exec(path);
  if (key !== null) return mapOf(pod, key[1])[key[2] ?? ''] ?? '';
  switch (path) {
    case 'metadata.name':
      return metadata.name ?? '';
    case 'metadata.namespace':
      return metadata.namespace ?? '';
    case 'metadata.uid':
      return metadata.uid ?? '';
    case 'metadata.labels':
    case 'metadata.annotations':
      return mapText(mapOf(pod, path.slice('metadata.'.length)));
    case 'spec.nodeName':
      return spec?.nodeName ?? facts.nodeName;
    case 'spec.serviceAccountName':
      return spec?.serviceAccountName ?? '';
    case 'status.hostIP':
      return facts.hostIPs[0] ?? '';
    case 'status.hostIPs':
      return facts.hostIPs.join(',');
    case 'status.podIP':
      return facts.podIPs[0] ?? '';
    case 'status.podIPs':
      return facts.podIPs.join(',');
    default:
      throw new StatusError('InvalidArgument', `unsupported fieldPath: ${path}`);
  }
}

function mapOf({ metadata }: Pod, which: string | undefined): Readonly<Record<string, string>> {
  return (which === 'labels' ? metadata.labels : metadata.annotations) ?? {};
}

function mapText(map: Readonly<Record<string, string>>): string {
  const lines = Object.entries(map).map(([key, value]) => `${key}=${goQuoted(value)}`);
  return lines.sort().join('\n');
}
