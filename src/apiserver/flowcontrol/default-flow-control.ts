import type {
  FlowSchema,
  PriorityLevelConfiguration,
  ResourcePolicyRule,
  Subject,
} from '#kube/types/gen/flowcontrol-v1.ts';

const apiVersion = 'flowcontrol.apiserver.k8s.io/v1';
/** Objects that say so are brought back to what they were made as. */
export const autoUpdateAnnotation = 'apf.kubernetes.io/autoupdate-spec';
/** These stay as they are, whatever they say. */
export const mandatoryNames: ReadonlySet<string> = new Set(['exempt', 'catch-all']);

/** Name, shares, percent that may be lent, queues, and how many of them a flow may use. */
const queuingLevels = [
  ['system', 30, 33, 64, 6],
  ['node-high', 40, 25, 64, 6],
  ['leader-election', 10, 0, 16, 4],
  ['workload-high', 40, 50, 128, 6],
  ['workload-low', 100, 90, 128, 6],
  ['global-default', 20, 50, 128, 6],
] as const;
const queueLengthLimit = 50;

/** Levels that every cluster has (apiserver, apis/flowcontrol/bootstrap/default.go). */
export const defaultLevels: readonly PriorityLevelConfiguration[] = [
  level('exempt', { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } }),
  level('catch-all', {
    type: 'Limited',
    limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: 'Reject' } },
  }),
  ...queuingLevels.map(([name, nominalConcurrencyShares, lendablePercent, queues, handSize]) =>
    level(name, {
      type: 'Limited',
      limited: {
        nominalConcurrencyShares,
        lendablePercent,
        limitResponse: { type: 'Queue', queuing: { queues, handSize, queueLengthLimit } },
      },
    }),
  ),
];

const controllerManager = 'system:kube-controller-manager';
const scheduler = 'system:kube-scheduler';
const everybody = groups('system:unauthenticated', 'system:authenticated');
const everyVerb = ['*'];
const electing = ['get', 'create', 'update'];
const leases = resources(electing, 'coordination.k8s.io', ['leases']);
const allResources = resources(everyVerb, '*', ['*'], true);
const allPaths = { verbs: everyVerb, nonResourceURLs: ['*'] };
const all = { resourceRules: [allResources], nonResourceRules: [allPaths] };

/** Whose requests go to which level: the same file. */
export const defaultSchemas: readonly FlowSchema[] = [
  schema('exempt', 'exempt', 1, undefined, groups('system:masters'), all),
  schema('probes', 'exempt', 2, undefined, everybody, {
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
  }),
  schema(
    'system-leader-election',
    'leader-election',
    100,
    'ByUser',
    [...users(controllerManager, scheduler), ...systemAccounts('*')],
    { resourceRules: [leases] },
  ),
  schema(
    'endpoint-controller',
    'workload-high',
    150,
    'ByUser',
    [...users(controllerManager), ...systemAccounts('endpoint-controller', 'endpointslicemirroring-controller')],
    { resourceRules: [resources(electing, '', ['endpoints'])] },
  ),
  schema('workload-leader-election', 'leader-election', 200, 'ByUser', systemAccounts('*'), {
    resourceRules: [leases],
  }),
  schema('system-node-high', 'node-high', 400, 'ByUser', groups('system:nodes'), {
    resourceRules: [
      resources(everyVerb, '', ['nodes', 'nodes/status'], true),
      resources(everyVerb, 'coordination.k8s.io', ['leases']),
    ],
  }),
  schema('system-nodes', 'system', 500, 'ByUser', groups('system:nodes'), all),
  schema('kube-controller-manager', 'workload-high', 800, 'ByNamespace', users(controllerManager), all),
  schema('kube-scheduler', 'workload-high', 800, 'ByNamespace', users(scheduler), all),
  schema('kube-system-service-accounts', 'workload-high', 900, 'ByNamespace', systemAccounts('*'), all),
  schema('service-accounts', 'workload-low', 9000, 'ByUser', groups('system:serviceaccounts'), all),
  schema('global-default', 'global-default', 9900, 'ByUser', everybody, all),
  schema('catch-all', 'catch-all', 10_000, 'ByUser', everybody, all),
];

function level(name: string, spec: PriorityLevelConfiguration['spec'] & object): PriorityLevelConfiguration {
  return { apiVersion, kind: 'PriorityLevelConfiguration', metadata: metadataOf(name), spec };
}

function schema(
  name: string,
  levelName: string,
  matchingPrecedence: number,
  distinguisher: 'ByUser' | 'ByNamespace' | undefined,
  subjects: Subject[],
  rules: object,
): FlowSchema {
  return {
    apiVersion,
    kind: 'FlowSchema',
    metadata: metadataOf(name),
    spec: {
      priorityLevelConfiguration: { name: levelName },
      matchingPrecedence,
      ...(distinguisher === undefined ? {} : { distinguisherMethod: { type: distinguisher } }),
      rules: [{ subjects, ...rules }],
    },
  };
}

function metadataOf(name: string): FlowSchema['metadata'] {
  return { name, annotations: { [autoUpdateAnnotation]: 'true' } };
}

function resources(verbs: string[], group: string, names: string[], clusterScope = false): ResourcePolicyRule {
  return {
    verbs,
    apiGroups: [group],
    resources: names,
    namespaces: ['*'],
    ...(clusterScope ? { clusterScope } : {}),
  };
}

function groups(...names: readonly string[]): Subject[] {
  return names.map((name) => ({ kind: 'Group', group: { name } }));
}

function users(...names: readonly string[]): Subject[] {
  return names.map((name) => ({ kind: 'User', user: { name } }));
}

function systemAccounts(...names: readonly string[]): Subject[] {
  return names.map((name) => ({ kind: 'ServiceAccount', serviceAccount: { name, namespace: 'kube-system' } }));
}
