import type { Field, ListSchema, MapSchema, ScalarSchema, Schema, StructSchema } from '#kube/schema.ts';

/** Short makers of schemas, for tests that need a type of their own. */
export const text: ScalarSchema = scalar('string');
export const whole: ScalarSchema = scalar('int32');
const truth: ScalarSchema = scalar('boolean');
const either: ScalarSchema = scalar('int-or-string');

function scalar(name: ScalarSchema['scalar']): ScalarSchema {
  return { type: 'scalar', scalar: name, values: [] };
}

export function mapOf(values: Schema, isAtomic = false): MapSchema {
  return { type: 'map', values, isAtomic };
}

export function listOf(items: Schema, kind: ListSchema['kind'] = 'atomic', keys: readonly string[] = []): ListSchema {
  return { type: 'list', items, kind, keys };
}

/** Fields as schemas, or as what else is known of them. */
export function structOf(
  name: string,
  fields: Readonly<Record<string, Schema | Partial<Field>>>,
  more: Partial<StructSchema> = {},
): StructSchema {
  const rows = Object.entries(fields).map(([key, field]) => [key, fieldOf(field)] as const);
  return {
    type: 'struct',
    name,
    fields: new Map(rows),
    isAtomic: false,
    keepsUnknown: false,
    isEmbedded: false,
    ...more,
  };
}

function fieldOf(given: Schema | Partial<Field>): Field {
  const known: Partial<Field> = 'type' in given ? { schema: given } : given;
  return { schema: text, isRequired: false, defaultValue: undefined, isNullable: false, patch: undefined, ...known };
}

/** A list that strategic patches merge by a key. */
export function mergedList(schema: ListSchema, mergeKey?: string, retainsKeys = false): Partial<Field> {
  return { schema, patch: { merges: true, retainsKeys, mergeKey } };
}

const metadata = structOf('v1.ObjectMeta', {
  name: text,
  namespace: text,
  uid: text,
  resourceVersion: text,
  generation: whole,
  creationTimestamp: text,
  labels: mapOf(text),
  annotations: mapOf(text),
  finalizers: mergedList(listOf(text, 'set')),
  ownerReferences: mergedList(
    listOf(structOf('v1.OwnerReference', { uid: text, name: text, kind: text }, { isAtomic: true }), 'map', ['uid']),
    'uid',
  ),
  managedFields: listOf({ type: 'any' }),
});

const port = structOf('v1.ContainerPort', {
  name: text,
  containerPort: { schema: whole, isRequired: true },
  protocol: { schema: text, defaultValue: 'TCP' },
  hostPort: whole,
});

const container = structOf('v1.Container', {
  name: { schema: text, isRequired: true },
  image: text,
  args: listOf(text),
  env: mergedList(
    listOf(
      structOf('v1.EnvVar', { name: text, value: text, valueFrom: structOf('v1.EnvVarSource', { path: text }) }),
      'map',
      ['name'],
    ),
    'name',
  ),
  ports: mergedList(listOf(port, 'map', ['containerPort', 'protocol']), 'containerPort'),
  resources: structOf('v1.ResourceRequirements', { limits: mapOf(text), requests: mapOf(text) }),
  stdin: truth,
});

const podSpec = structOf('v1.PodSpec', {
  containers: { ...mergedList(listOf(container, 'map', ['name']), 'name'), isRequired: true },
  nodeSelector: mapOf(text, true),
  volumes: mergedList(
    listOf(
      structOf('v1.Volume', {
        name: text,
        emptyDir: structOf('v1.EmptyDirVolumeSource', { medium: text }),
        hostPath: structOf('v1.HostPathVolumeSource', { path: text }),
      }),
      'map',
      ['name'],
    ),
    'name',
    true,
  ),
  tolerations: listOf(structOf('v1.Toleration', { key: text, effect: text })),
  restartPolicy: text,
});

/** A workload in the small: a list by key, a list by two keys with a default, sets, atomic and granular maps. */
export const sampleDeployment = structOf('v1.Deployment', {
  apiVersion: text,
  kind: text,
  metadata,
  spec: structOf('v1.DeploymentSpec', {
    replicas: whole,
    paused: truth,
    selector: {
      schema: structOf('v1.LabelSelector', { matchLabels: mapOf(text) }, { isAtomic: true }),
      isRequired: true,
    },
    strategy: {
      schema: structOf('v1.DeploymentStrategy', {
        type: text,
        rollingUpdate: structOf('v1.RollingUpdateDeployment', { maxSurge: either, maxUnavailable: either }),
      }),
      patch: { merges: false, retainsKeys: true, mergeKey: undefined },
    },
    template: { schema: structOf('v1.PodTemplateSpec', { metadata, spec: podSpec }), isRequired: true },
    disruption: {
      schema: structOf('v1.LabelSelector', { matchLabels: mapOf(text) }),
      patch: { merges: false, retainsKeys: false, mergeKey: undefined },
    },
  }),
  status: structOf('v1.DeploymentStatus', {
    replicas: whole,
    conditions: listOf(structOf('v1.Condition', { type: text, status: text }), 'map', ['type']),
  }),
});
