import type {
  Affinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinityTerm,
  PodSpec,
  Toleration,
  TopologySpreadConstraint,
} from '../../types/gen/core-v1.ts';
import { duplicate, forbidden, invalid, invalids, notSupported, required } from '../faults.ts';
import { labelFaults, labelValueFaults, qualifiedNameFaults, subdomainFaults } from '../names.ts';
import type { Faults } from '../object-meta.ts';
import { selectorFaults } from '../selectors.ts';
import { choiceFaults } from '../values.ts';

export const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function* affinityFaults({ nodeAffinity, podAffinity, podAntiAffinity }: Affinity, path: string): Faults {
  const required = nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const node = `${path}.nodeAffinity`;
  if (required !== undefined)
    yield* nodeSelectorFaults(required, `${node}.requiredDuringSchedulingIgnoredDuringExecution`);
  for (const [index, { weight = 0, preference = {} }] of (
    nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  ).entries()) {
    const at = `${node}.preferredDuringSchedulingIgnoredDuringExecution[${String(index)}]`;
    yield* weightFaults(weight, `${at}.weight`);
    yield* nodeTermFaults(preference, false, `${at}.preference`);
  }
  for (const [name, affinity] of Object.entries({ podAffinity, podAntiAffinity })) {
    const at = `${path}.${name}`;
    for (const [index, term] of (affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).entries())
      yield* podTermFaults(term, `${at}.requiredDuringSchedulingIgnoredDuringExecution[${String(index)}]`);
    for (const [index, { weight = 0, podAffinityTerm = {} }] of (
      affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
    ).entries()) {
      const one = `${at}.preferredDuringSchedulingIgnoredDuringExecution[${String(index)}]`;
      yield* weightFaults(weight, `${one}.weight`);
      yield* podTermFaults(podAffinityTerm, `${one}.podAffinityTerm`);
    }
  }
}

export function* nodeSelectorFaults({ nodeSelectorTerms = [] }: NodeSelector, path: string): Faults {
  const at = `${path}.nodeSelectorTerms`;
  if (nodeSelectorTerms.length === 0) yield required(at, 'must have at least one node selector term');
  for (const [index, term] of nodeSelectorTerms.entries()) yield* nodeTermFaults(term, true, `${at}[${String(index)}]`);
}

export function* tolerationFaults(tolerations: readonly Toleration[], path: string): Faults {
  for (const [
    index,
    { key = '', operator = '', value = '', effect = '', tolerationSeconds },
  ] of tolerations.entries()) {
    const at = `${path}[${String(index)}]`;
    if (key !== '') yield* invalids(`${at}.key`, key, qualifiedNameFaults(key));
    else if (operator !== 'Exists')
      yield invalid(
        `${at}.operator`,
        operator,
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      );
    if (tolerationSeconds !== undefined && effect !== 'NoExecute')
      yield invalid(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set");
    if (operator === 'Equal' || operator === '') {
      const faults = labelValueFaults(value);
      if (faults.length > 0) yield invalid(`${at}.operator`, value, faults.join(';'));
    } else if (operator === 'Exists') {
      if (value !== '') yield invalid(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'");
    } else yield notSupported(`${at}.operator`, operator, ['Equal', 'Exists']);
    if (effect !== '') yield* choiceFaults(`${at}.effect`, effect, taintEffects);
  }
}

export function* spreadFaults(constraints: readonly TopologySpreadConstraint[], path: string): Faults {
  for (const [index, constraint] of constraints.entries()) {
    const at = `${path}[${String(index)}]`;
    const { maxSkew = 0, topologyKey = '', whenUnsatisfiable = '', minDomains } = constraint;
    if (maxSkew <= 0) yield invalid(`${at}.maxSkew`, maxSkew, notPositive);
    if (topologyKey === '') yield required(`${at}.topologyKey`, 'can not be empty');
    yield* choiceFaults(`${at}.whenUnsatisfiable`, whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway']);
    const isRepeated = constraints
      .slice(index + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable);
    if (isRepeated) yield duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${whenUnsatisfiable}}`);
    if (minDomains !== undefined) {
      if (minDomains <= 0) yield invalid(`${at}.minDomains`, minDomains, notPositive);
      if (whenUnsatisfiable !== 'DoNotSchedule')
        yield invalid(
          `${at}.minDomains`,
          minDomains,
          `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`,
        );
    }
    yield* choiceFaults(`${at}.nodeAffinityPolicy`, constraint.nodeAffinityPolicy, ['Honor', 'Ignore']);
    yield* choiceFaults(`${at}.nodeTaintsPolicy`, constraint.nodeTaintsPolicy, ['Honor', 'Ignore']);
    yield* selectorFaults(constraint.labelSelector, `${at}.labelSelector`);
  }
}

export function* gateFaults({ readinessGates = [], schedulingGates = [] }: PodSpec, path: string): Faults {
  for (const [index, { conditionType = '' }] of readinessGates.entries())
    yield* invalids(
      `${path}.readinessGates[${String(index)}].conditionType`,
      conditionType,
      qualifiedNameFaults(conditionType),
    );
  const seen = new Set<string>();
  for (const [index, { name = '' }] of schedulingGates.entries()) {
    const at = `${path}.schedulingGates[${String(index)}]`;
    yield* invalids(at, name, qualifiedNameFaults(name));
    if (seen.has(name)) yield duplicate(at, name);
    seen.add(name);
  }
}

const notPositive = 'must be greater than zero';

function* weightFaults(weight: number, path: string): Faults {
  if (weight < 1 || weight > 100) yield invalid(path, weight, 'must be in the range 1-100');
}

function* nodeTermFaults(term: NodeSelectorTerm, isStrict: boolean, path: string): Faults {
  for (const [index, requirement] of (term.matchExpressions ?? []).entries())
    yield* nodeRequirementFaults(requirement, isStrict, `${path}.matchExpressions[${String(index)}]`);
  for (const [index, { key = '', operator = '', values = [] }] of (term.matchFields ?? []).entries()) {
    const at = `${path}.matchFields[${String(index)}]`;
    if (operator !== 'In' && operator !== 'NotIn')
      yield invalid(`${at}.operator`, operator, 'not a valid selector operator');
    else if (values.length !== 1)
      yield required(
        `${at}.values`,
        "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
      );
    if (key !== 'metadata.name') yield invalid(`${at}.key`, key, 'not a valid field selector key');
    else
      for (const [at2, value] of values.entries())
        yield* invalids(`${at}.values[${String(at2)}]`, value, subdomainFaults(value));
  }
}

function* nodeRequirementFaults(
  { key = '', operator = '', values = [] }: NodeSelectorRequirement,
  isStrict: boolean,
  path: string,
): Faults {
  const at = `${path}.values`;
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0) yield required(at, "must be specified when `operator` is 'In' or 'NotIn'");
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) yield forbidden(at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
      break;
    case 'Gt':
    case 'Lt':
      if (values.length !== 1) yield required(at, "must be specified single value when `operator` is 'Lt' or 'Gt'");
      break;
    default:
      yield invalid(`${path}.operator`, operator, 'not a valid selector operator');
  }
  yield* invalids(`${path}.key`, key, qualifiedNameFaults(key));
  // A preference that nothing can meet does no harm.
  if (!isStrict) return;
  for (const [index, value] of values.entries())
    yield* invalids(`${at}[${String(index)}]`, value, labelValueFaults(value));
}

function* podTermFaults(term: PodAffinityTerm, path: string): Faults {
  const { topologyKey = '' } = term;
  yield* selectorFaults(term.labelSelector, `${path}.labelSelector`);
  yield* selectorFaults(term.namespaceSelector, `${path}.namespaceSelector`);
  for (const name of term.namespaces ?? []) yield* invalids(`${path}.namespace`, name, labelFaults(name));
  if (topologyKey === '') yield required(`${path}.topologyKey`, 'can not be empty');
  yield* invalids(`${path}.topologyKey`, topologyKey, qualifiedNameFaults(topologyKey));
}
