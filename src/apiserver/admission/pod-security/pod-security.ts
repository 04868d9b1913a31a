import { isObject } from '#base/json.ts';
import { objectOf } from '#kube/fields.ts';
import type { Resource } from '#kube/resource.ts';
import { invalid } from '#kube/status.ts';
import type { Pod } from '#kube/types/gen/core-v1.ts';

import type { Objects } from '../../auth/objects.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { isAbout, refusal } from '../refusal.ts';
import type { CheckedPod } from './check.ts';
import { policyOf, type PodPolicy } from './policy.ts';
import { findingsOf, findingsText, levelText, type LevelVersion } from './standards.ts';

const annotation = 'pod-security.kubernetes.io/';

/** Where a pod template is in the kinds that have one; warned about, but enforced only on the pods. */
const templates: Readonly<Record<string, readonly string[]>> = {
  '/replicationcontrollers': ['spec', 'template'],
  '/podtemplates': ['template'],
  'apps/deployments': ['spec', 'template'],
  'apps/replicasets': ['spec', 'template'],
  'apps/statefulsets': ['spec', 'template'],
  'apps/daemonsets': ['spec', 'template'],
  'batch/jobs': ['spec', 'template'],
  'batch/cronjobs': ['spec', 'jobTemplate', 'spec', 'template'],
};

/** A namespace with more pods than this is told of the first ones only. */
const podsCheckedMost = 3000;

/** The Pod Security Standards, as the labels of namespaces ask for them. */
export function podSecurity(objects: Objects): AdmissionPlugin {
  return {
    name: 'PodSecurity',
    validate: async (request, signal) => {
      const { operation } = request;
      if (operation !== 'CREATE' && operation !== 'UPDATE') return;
      if (isAbout(request, '', 'namespaces')) await checkNamespace(request, objects, signal);
      else await checkWrite(request, objects, signal);
    },
  };
}

async function checkWrite(request: AdmissionRequest, objects: Objects, signal: AbortSignal): Promise<void> {
  const { resource, subresource, object, oldObject, operation } = request;
  const isPod = isAbout(request, '', 'pods') || isDebug(request);
  const path = subresource === '' ? templates[`${resource.group}/${resource.resource}`] : undefined;
  if (!isPod && path === undefined) return;
  if (isPod && operation === 'UPDATE' && !isSignificant(object as Pod, oldObject as Pod)) return;
  const pod = podOf(isPod ? object : within(object, path ?? []));
  if (pod === undefined) return;
  const namespace = await objects.get({ group: '', resource: 'namespaces' }, '', request.namespace, signal);
  checkPod(request, pod, policyOf(namespace?.metadata.labels ?? {}).policy, isPod);
}

function checkPod(request: AdmissionRequest, pod: CheckedPod, policy: PodPolicy, isEnforced: boolean): void {
  const texts = new Map<string, string>();
  const textFor = (standard: LevelVersion): string => {
    const name = levelText(standard);
    const text = texts.get(name) ?? findingsText(findingsOf(pod, standard));
    texts.set(name, text);
    return text;
  };
  const say = (standard: LevelVersion): string => `violate PodSecurity "${levelText(standard)}": ${textFor(standard)}`;
  if (isEnforced) request.annotate(`${annotation}enforce-policy`, levelText(policy.enforce));
  if (textFor(policy.audit) !== '') request.annotate(`${annotation}audit-violations`, `would ${say(policy.audit)}`);
  if (isEnforced && textFor(policy.enforce) !== '')
    throw refusal(request, say(policy.enforce).replace('violate', 'violates'));
  if (textFor(policy.warn) !== '') request.warn(`would ${say(policy.warn)}`);
}

/** A namespace's labels are checked, and a stricter level is tried on the pods that are there. */
async function checkNamespace(request: AdmissionRequest, objects: Objects, signal: AbortSignal): Promise<void> {
  const name = request.object?.metadata.name ?? '';
  const labels = request.object?.metadata.labels ?? {};
  const before = policyOf(request.oldObject?.metadata.labels ?? {});
  const { policy, causes } = policyOf(labels);
  // What was wrong before may stay, so that other labels can be changed.
  const isOld = request.oldObject !== undefined && causes.length > 0 && sameCauses(causes, before.causes);
  if (causes.length > 0 && !isOld) throw invalid({ group: '', kind: 'Namespace' }, name, causes);
  if (request.operation !== 'UPDATE' || !isStricter(policy.enforce, before.policy.enforce)) return;
  const pods = (await objects.list({ group: '', resource: 'pods' }, name, signal)) as readonly Pod[];
  for (const warning of namespaceWarnings(name, pods, policy.enforce)) request.warn(warning);
}

/** What the pods of a namespace have against a standard, each finding with the first pod and how many others. */
export function namespaceWarnings(name: string, pods: readonly Pod[], standard: LevelVersion): readonly string[] {
  const checked = pods.slice(0, podsCheckedMost);
  const byText = new Map<string, string[]>();
  for (const pod of checked) {
    const text = findingsOf({ metadata: pod.metadata, spec: pod.spec ?? {} }, standard)
      .map(({ reason }) => reason)
      .join(', ');
    if (text !== '') byText.set(text, [...(byText.get(text) ?? []), pod.metadata.name ?? '']);
  }
  const warnings = [...byText].map(([text, names]) => {
    const [first = '', ...others] = names.toSorted();
    const rest =
      others.length === 0 ? '' : ` (and ${String(others.length)} other ${others.length === 1 ? 'pod' : 'pods'})`;
    return `${first}${rest}: ${text}`;
  });
  const partly = `new PodSecurity enforce level only checked against the first ${String(checked.length)} of ${String(pods.length)} existing pods`;
  const start = `existing pods in namespace "${name}" violate the new PodSecurity enforce level "${levelText(standard)}"`;
  return [
    ...(checked.length < pods.length ? [partly] : []),
    ...(warnings.length > 0 ? [start] : []),
    ...warnings.toSorted(),
  ];
}

function isStricter(now: LevelVersion, before: LevelVersion): boolean {
  return now.level !== 'privileged' && levelText(now) !== levelText(before);
}

function sameCauses(one: readonly { message: string }[], other: readonly { message: string }[]): boolean {
  return one.map(({ message }) => message).join('\n') === other.map(({ message }) => message).join('\n');
}

/** Fields of a running pod that may be changed and matter here: images, and containers that are added for debugging. */
function isSignificant(pod: Pod, old: Pod): boolean {
  const images = ({ spec = {} }: Pod): string =>
    JSON.stringify(
      [spec.initContainers, spec.containers, spec.ephemeralContainers].map((list) =>
        (list ?? []).map(({ name, image }) => [name, image]),
      ),
    );
  return images(pod) !== images(old);
}

function isDebug({ resource, subresource }: AdmissionRequest): boolean {
  return resource.group === '' && resource.resource === 'pods' && subresource === 'ephemeralcontainers';
}

function within(object: Resource | undefined, path: readonly string[]): unknown {
  let value: unknown = object;
  for (const field of path) value = objectOf(value)[field];
  return value;
}

function podOf(value: unknown): CheckedPod | undefined {
  if (!isObject(value) || !isObject(value['spec'])) return undefined;
  return { metadata: objectOf(value['metadata']), spec: value['spec'] };
}
