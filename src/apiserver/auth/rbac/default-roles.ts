import type { PolicyRule } from './policy-rule.ts';

/** A cluster role that every cluster has, and whom it is bound to. */
export interface DefaultRole {
  readonly name: string;
  readonly rules: readonly PolicyRule[];
  /** Label that the roles carry of which this one is made; undefined: it has rules of its own. */
  readonly aggregates?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly groups?: readonly string[];
  readonly users?: readonly string[];
}

const read = 'get,list,watch';
const write = 'create,update,patch,delete,deletecollection';
const events = rule('create,update,patch', ',events.k8s.io', 'events');
const aggregateTo = (role: string): Record<string, string> => ({
  [`rbac.authorization.k8s.io/aggregate-to-${role}`]: 'true',
});

/** Cluster roles as kube-apiserver 1.34 makes them at its start, without those of controllers. */
export const defaultRoles: readonly DefaultRole[] = [
  { name: 'cluster-admin', rules: [rule('*', '*', '*'), paths('*', '*')], groups: ['system:masters'] },
  {
    name: 'system:discovery',
    rules: [paths('get', '/api,/api/*,/apis,/apis/*,/healthz,/livez,/openapi,/openapi/*,/readyz,/version,/version/')],
    groups: ['system:authenticated'],
  },
  {
    name: 'system:public-info-viewer',
    rules: [paths('get', '/healthz,/livez,/readyz,/version,/version/')],
    groups: ['system:authenticated', 'system:unauthenticated'],
  },
  {
    name: 'system:basic-user',
    rules: [
      rule('create', 'authorization.k8s.io', 'selfsubjectaccessreviews,selfsubjectrulesreviews'),
      rule('create', 'authentication.k8s.io', 'selfsubjectreviews'),
    ],
    groups: ['system:authenticated'],
  },
  {
    name: 'system:monitoring',
    rules: [paths('get', '/healthz,/healthz/*,/livez,/livez/*,/metrics,/metrics/slis,/readyz,/readyz/*')],
    groups: ['system:monitoring'],
  },
  { name: 'admin', rules: [], aggregates: 'admin' },
  { name: 'edit', rules: [], aggregates: 'edit', labels: aggregateTo('admin') },
  { name: 'view', rules: [], aggregates: 'view', labels: aggregateTo('edit') },
  {
    name: 'system:aggregate-to-admin',
    labels: aggregateTo('admin'),
    rules: [
      rule('create', 'authorization.k8s.io', 'localsubjectaccessreviews'),
      rule(`${read},${write}`, 'rbac.authorization.k8s.io', 'roles,rolebindings'),
    ],
  },
  {
    name: 'system:aggregate-to-edit',
    labels: aggregateTo('edit'),
    rules: [
      rule(read, '', 'pods/attach,pods/proxy,pods/exec,pods/portforward,secrets,services/proxy'),
      rule('impersonate', '', 'serviceaccounts'),
      rule(write, '', 'pods,pods/attach,pods/proxy,pods/exec,pods/portforward'),
      rule('create', '', 'pods/eviction'),
      rule(
        write,
        '',
        'replicationcontrollers,replicationcontrollers/scale,serviceaccounts,services,services/proxy,persistentvolumeclaims,configmaps,secrets,events',
      ),
      rule('create', '', 'serviceaccounts/token'),
      rule(
        write,
        'apps',
        'statefulsets,statefulsets/scale,daemonsets,deployments,deployments/scale,deployments/rollback,replicasets,replicasets/scale',
      ),
      rule(write, 'autoscaling', 'horizontalpodautoscalers'),
      rule(write, 'batch', 'jobs,cronjobs'),
      rule(write, 'policy', 'poddisruptionbudgets'),
      rule(write, 'networking.k8s.io', 'networkpolicies,ingresses'),
      rule(`${read},${write}`, 'coordination.k8s.io', 'leases'),
    ],
  },
  {
    name: 'system:aggregate-to-view',
    labels: aggregateTo('view'),
    rules: [
      rule(
        read,
        '',
        'pods,replicationcontrollers,replicationcontrollers/scale,serviceaccounts,services,services/status,endpoints,persistentvolumeclaims,persistentvolumeclaims/status,configmaps',
      ),
      rule(
        read,
        '',
        'limitranges,resourcequotas,bindings,events,pods/status,resourcequotas/status,namespaces/status,replicationcontrollers/status,pods/log',
      ),
      rule(read, '', 'namespaces'),
      rule(read, 'discovery.k8s.io', 'endpointslices'),
      rule(
        read,
        'apps',
        'controllerrevisions,statefulsets,statefulsets/status,statefulsets/scale,daemonsets,daemonsets/status,deployments,deployments/status,deployments/scale,replicasets,replicasets/status,replicasets/scale',
      ),
      rule(read, 'autoscaling', 'horizontalpodautoscalers,horizontalpodautoscalers/status'),
      rule(read, 'batch', 'jobs,jobs/status,cronjobs,cronjobs/status'),
      rule(read, 'policy', 'poddisruptionbudgets,poddisruptionbudgets/status'),
      rule(read, 'networking.k8s.io', 'networkpolicies,ingresses,ingresses/status'),
    ],
  },
  // The Node authorizer gives nodes what they need; this role stands for those who bind it themselves.
  { name: 'system:node', rules: nodeRules(), groups: [] },
  {
    name: 'system:node-proxier',
    rules: [
      rule('list,watch', '', 'services,endpoints'),
      rule(read, '', 'nodes'),
      events,
      rule('list,watch', 'discovery.k8s.io', 'endpointslices'),
      rule('list,watch', 'networking.k8s.io', 'servicecidrs'),
    ],
    users: ['system:kube-proxy'],
  },
  {
    name: 'system:auth-delegator',
    rules: [
      rule('create', 'authentication.k8s.io', 'tokenreviews'),
      rule('create', 'authorization.k8s.io', 'subjectaccessreviews'),
    ],
  },
  { name: 'system:kube-aggregator', rules: [rule(read, '', 'services,endpoints')] },
  {
    name: 'system:heapster',
    rules: [rule(read, '', 'events,pods,nodes,namespaces'), rule(read, 'extensions', 'deployments')],
  },
  { name: 'system:kube-dns', rules: [rule('list,watch', '', 'endpoints,services')] },
  {
    name: 'system:node-bootstrapper',
    rules: [rule('create,get,list,watch', 'certificates.k8s.io', 'certificatesigningrequests')],
  },
  {
    name: 'system:node-problem-detector',
    rules: [rule('get', '', 'nodes'), rule('patch', '', 'nodes/status'), events],
  },
  {
    name: 'system:persistent-volume-provisioner',
    rules: [
      rule('get,list,watch,create,patch,delete', '', 'persistentvolumes'),
      rule('get,list,watch,update', '', 'persistentvolumeclaims'),
      rule(read, 'storage.k8s.io', 'storageclasses'),
      rule('watch', '', 'events'),
      events,
    ],
  },
  {
    name: 'system:kubelet-api-admin',
    rules: [
      rule(read, '', 'nodes'),
      rule('proxy', '', 'nodes'),
      rule('*', '', 'nodes/log,nodes/metrics,nodes/proxy,nodes/stats,nodes/configz,nodes/healthz,nodes/pods'),
    ],
  },
  ...signerRoles(),
  {
    name: 'system:service-account-issuer-discovery',
    rules: [
      paths(
        'get',
        '/.well-known/openid-configuration,/.well-known/openid-configuration/,/openid/v1/jwks,/openid/v1/jwks/',
      ),
    ],
    groups: ['system:serviceaccounts'],
  },
  {
    name: 'system:kube-scheduler',
    rules: [
      events,
      rule('create', 'coordination.k8s.io', 'leases'),
      rule('get,list,update,watch', 'coordination.k8s.io', 'leases', 'kube-scheduler'),
      rule('create', 'coordination.k8s.io', 'leasecandidates'),
      rule('delete,deletecollection,get,list,patch,update,watch', 'coordination.k8s.io', 'leasecandidates'),
      rule(read, '', 'nodes'),
      rule('get,list,watch,delete', '', 'pods'),
      rule('create', '', 'pods/binding,bindings'),
      rule('patch,update', '', 'pods/status'),
      rule(read, '', 'replicationcontrollers,services'),
      rule(read, 'apps,extensions', 'replicasets'),
      rule(read, 'apps', 'statefulsets'),
      rule(read, 'policy', 'poddisruptionbudgets'),
      rule(read, '', 'persistentvolumeclaims,persistentvolumes'),
      rule('create', 'authentication.k8s.io', 'tokenreviews'),
      rule('create', 'authorization.k8s.io', 'subjectaccessreviews'),
      rule(read, 'storage.k8s.io', 'csinodes,csidrivers,csistoragecapacities,volumeattachments'),
      rule(read, '', 'namespaces'),
    ],
    users: ['system:kube-scheduler'],
  },
  {
    name: 'system:volume-scheduler',
    rules: [
      rule('get,list,watch,patch,update', '', 'persistentvolumes,persistentvolumeclaims'),
      rule(read, 'storage.k8s.io', 'storageclasses'),
    ],
    users: ['system:kube-scheduler'],
  },
  {
    name: 'system:kube-controller-manager',
    rules: [
      events,
      rule('create', 'coordination.k8s.io', 'leases'),
      rule('get,list,update,watch', 'coordination.k8s.io', 'leases', 'kube-controller-manager'),
      rule('create', '', 'secrets,serviceaccounts'),
      rule('delete', '', 'secrets'),
      rule('get', '', 'configmaps,namespaces,secrets,serviceaccounts'),
      rule('update', '', 'secrets,serviceaccounts'),
      rule('create', 'authentication.k8s.io', 'tokenreviews'),
      rule('create', 'authorization.k8s.io', 'subjectaccessreviews'),
      rule('list,watch', '*', '*'),
      rule('create', '', 'serviceaccounts/token'),
    ],
    users: ['system:kube-controller-manager'],
  },
];

/** What a node may do besides what the graph of its pods gives it. */
export function nodeRules(): readonly PolicyRule[] {
  return [
    rule('create', 'authentication.k8s.io', 'tokenreviews'),
    rule('create', 'authorization.k8s.io', 'localsubjectaccessreviews,subjectaccessreviews'),
    rule(read, '', 'services'),
    rule('create,get,list,watch', '', 'nodes'),
    rule('patch,update', '', 'nodes/status'),
    rule('patch,update', '', 'nodes'),
    rule('create,patch,update', ',events.k8s.io', 'events'),
    rule(read, '', 'pods'),
    rule('create,delete', '', 'pods'),
    rule('patch,update', '', 'pods/status'),
    rule('create', '', 'pods/eviction'),
    rule(read, '', 'configmaps,secrets'),
    rule('get', '', 'persistentvolumeclaims,persistentvolumes'),
    rule('get', '', 'endpoints'),
    rule('create,get,list,watch', 'certificates.k8s.io', 'certificatesigningrequests'),
    rule('create,delete,get,patch,update', 'coordination.k8s.io', 'leases'),
    rule('get', 'storage.k8s.io', 'volumeattachments'),
    rule('create', '', 'serviceaccounts/token'),
    rule('get,patch,update', '', 'persistentvolumeclaims/status'),
    rule(read, 'storage.k8s.io', 'csidrivers'),
    rule('create,delete,get,patch,update', 'storage.k8s.io', 'csinodes'),
    rule(read, 'node.k8s.io', 'runtimeclasses'),
  ];
}

/** A rule from lists with commas; an empty first group is the core group. */
export function rule(verbs: string, groups: string, resources: string, names = ''): PolicyRule {
  return {
    verbs: verbs.split(','),
    apiGroups: groups.split(','),
    resources: resources.split(','),
    ...(names === '' ? {} : { resourceNames: names.split(',') }),
  };
}

function paths(verbs: string, urls: string): PolicyRule {
  return { verbs: verbs.split(','), nonResourceURLs: urls.split(',') };
}

/** Who may approve requests of the built-in signers. */
function signerRoles(): readonly DefaultRole[] {
  const group = 'certificates.k8s.io';
  const rows = [
    ['legacy-unknown-approver', 'kubernetes.io/legacy-unknown'],
    ['kubelet-serving-approver', 'kubernetes.io/kubelet-serving'],
    ['kube-apiserver-client-approver', 'kubernetes.io/kube-apiserver-client'],
    ['kube-apiserver-client-kubelet-approver', 'kubernetes.io/kube-apiserver-client-kubelet'],
  ] as const;
  const requests = 'certificatesigningrequests';
  return [
    ...rows.map(([name, signer]) => ({
      name: `system:certificates.k8s.io:${name}`,
      rules: [rule('approve', group, 'signers', signer)],
    })),
    ...['nodeclient', 'selfnodeclient'].map((kind) => ({
      name: `system:certificates.k8s.io:certificatesigningrequests:${kind}`,
      rules: [rule('create', group, `${requests}/${kind}`)],
    })),
  ];
}
