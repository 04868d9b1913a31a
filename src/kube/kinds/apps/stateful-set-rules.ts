import { isEqualJson } from '#base/json.ts';

import type { StatefulSet, StatefulSetSpec } from '../../types/gen/apps-v1.ts';
import { forbidden, invalid, required } from '../../validation/faults.ts';
import { annotationFaults, type Faults, labelMapFaults, negativeFaults } from '../../validation/object-meta.ts';
import { alwaysRunningFaults } from '../../validation/pod/pod-spec.ts';
import { choiceFaults } from '../../validation/values.ts';
import { ownSelectorFaults, templateLabelFaults } from './template-selector.ts';

/**
 * As upstream does, the pods' spec is only looked at when pods are made of it: a template may name volumes that come from
 * claims (apps/validation, ValidateStatefulSetSpec).
 */
export function* statefulSetFaults({ spec = {} }: StatefulSet, old: StatefulSet | undefined): Faults {
  yield* strategyFaults(spec);
  const retention = spec.persistentVolumeClaimRetentionPolicy ?? {};
  for (const field of ['whenDeleted', 'whenScaled'] as const)
    yield* choiceFaults(`spec.persistentVolumeClaimRetentionPolicy.${field}`, retention[field], ['Delete', 'Retain']);
  yield* negativeFaults('spec.replicas', spec.replicas);
  yield* negativeFaults('spec.minReadySeconds', spec.minReadySeconds);
  yield* negativeFaults('spec.ordinals.start', spec.ordinals?.start);
  yield* ownSelectorFaults(spec.selector, 'statefulset');
  yield* templateLabelFaults(spec.selector, spec.template);
  yield* labelMapFaults(spec.template?.metadata?.labels, 'spec.template.labels');
  yield* annotationFaults(spec.template?.metadata?.annotations, 'spec.template.annotations');
  yield* alwaysRunningFaults(spec.template?.spec ?? {}, 'StatefulSet', 'spec.template.spec');
  if (old === undefined || isEqualJson(fixedPart(spec), fixedPart(old.spec ?? {}))) return;
  yield forbidden(
    'spec',
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
  );
}

function* strategyFaults({ podManagementPolicy: policy = '', updateStrategy = {} }: StatefulSetSpec): Faults {
  if (policy === '') yield required('spec.podManagementPolicy');
  else if (policy !== 'OrderedReady' && policy !== 'Parallel')
    yield invalid('spec.podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'");
  const path = 'spec.updateStrategy';
  const { type = '', rollingUpdate } = updateStrategy;
  if (type === '') yield required(path);
  else if (type === 'OnDelete') {
    if (rollingUpdate !== undefined)
      yield invalid(`${path}.rollingUpdate`, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'");
  } else if (type === 'RollingUpdate')
    yield* negativeFaults(`${path}.rollingUpdate.partition`, rollingUpdate?.partition);
  else yield invalid(path, updateStrategy, "must be 'RollingUpdate' or 'OnDelete'");
}

function fixedPart(spec: StatefulSetSpec): unknown {
  const { selector, serviceName, podManagementPolicy, volumeClaimTemplates = [] } = spec;
  const claims = volumeClaimTemplates.map(({ status: _status, ...claim }) => claim);
  return { selector, serviceName: serviceName ?? '', podManagementPolicy, claims };
}
