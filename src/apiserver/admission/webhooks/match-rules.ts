import { matchesLabels, selectionOf, type SelectorObject } from '#kube/selectors/label-selector.ts';
import type { Resource } from '#kube/resource.ts';
import type { RuleWithOperations } from '#kube/types/gen/admissionregistration-v1.ts';

import type { AdmissionRequest } from '../admission.ts';

/** Which requests a webhook or policy wants to see. */
export interface Matcher {
  readonly rules?: readonly RuleWithOperations[];
  readonly matchPolicy?: string;
  readonly namespaceSelector?: SelectorObject;
  readonly objectSelector?: SelectorObject;
}

const group = 'admissionregistration.k8s.io';

/** Nobody may shut himself out of mending what watches over writes. */
const exempt = [
  'mutatingwebhookconfigurations',
  'validatingwebhookconfigurations',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
];

export function isExempt({ resource }: AdmissionRequest): boolean {
  return resource.group === group && exempt.includes(resource.resource);
}

/** Whether one of the rules is about the request. */
export function matchesRules({ rules = [], matchPolicy }: Matcher, request: AdmissionRequest): boolean {
  return rules.some((rule) => matchesRule(rule, request, matchPolicy !== 'Exact'));
}

/** Whether the labels of the namespace and of the object (new or old) are chosen. */
export function matchesLabelsOf(
  { namespaceSelector = {}, objectSelector = {} }: Matcher,
  { object, oldObject, resource }: AdmissionRequest,
  namespace: Resource | undefined,
): boolean {
  const isNamespace = resource.group === '' && resource.resource === 'namespaces';
  const where = isNamespace ? (object ?? oldObject) : namespace;
  // Objects of the cluster have no namespace to choose by.
  if (where !== undefined && !chooses(namespaceSelector, where)) return false;
  if (Object.keys(objectSelector).length === 0) return true;
  return [object, oldObject].some((one) => one !== undefined && chooses(objectSelector, one));
}

function chooses(selector: SelectorObject, { metadata }: Resource): boolean {
  return matchesLabels(selectionOf(selector) ?? 'nothing', metadata.labels);
}

/** `isLoose`: other versions of the same kind count as well (matchPolicy Equivalent). */
function matchesRule(rule: RuleWithOperations, request: AdmissionRequest, isLoose: boolean): boolean {
  const { resource, subresource, operation, namespace } = request;
  const { operations = [], apiGroups = [], apiVersions = [], resources = [], scope = '*' } = rule;
  const isNamespace = resource.group === '' && resource.resource === 'namespaces';
  const isNamespaced = namespace !== '' && !isNamespace;
  return (
    has(operations, operation) &&
    has(apiGroups, resource.group) &&
    (isLoose || has(apiVersions, resource.version)) &&
    resources.some((one) => matchesResource(one, resource.resource, subresource)) &&
    (scope === '*' || (scope === 'Namespaced') === isNamespaced)
  );
}

/** `pods`, `pods/log`, `pods/*`, `*` (no subresources), `*` and a slash before a subresource or a star. */
function matchesResource(pattern: string, resource: string, subresource: string): boolean {
  const [wanted = '', part = ''] = pattern.split('/', 2);
  if (wanted !== '*' && wanted !== resource) return false;
  return part === '*' || part === subresource;
}

function has(list: readonly string[], value: string): boolean {
  return list.includes('*') || list.includes(value);
}
