import { rule } from './default-roles.ts';
import type { PolicyRule } from './policy-rule.ts';

const read = 'get,list,watch';
const events = rule('create,update,patch', ',events.k8s.io', 'events');

/**
 * What each controller may do, as kube-apiserver 1.34 grants it: role `system:controller:NAME`, bound to the service account
 * NAME of kube-system.
 */
export const controllerRoles: Readonly<Record<string, readonly PolicyRule[]>> = {
  'clusterrole-aggregation-controller': [
    rule('escalate,get,list,patch,update,watch', 'rbac.authorization.k8s.io', 'clusterroles'),
  ],
  'cronjob-controller': [
    rule('get,list,update,watch', 'batch', 'cronjobs'),
    rule('create,delete,get,list,patch,update,watch', 'batch', 'jobs'),
    rule('update', 'batch', 'cronjobs/status,cronjobs/finalizers'),
    rule('delete,list', '', 'pods'),
    events,
  ],
  'daemon-set-controller': [
    rule(read, 'apps,extensions', 'daemonsets'),
    rule('update', 'apps,extensions', 'daemonsets/status,daemonsets/finalizers'),
    rule('list,watch', '', 'nodes'),
    rule('create,delete,list,patch,watch', '', 'pods'),
    rule('create', '', 'pods/binding'),
    rule('create,delete,get,list,patch,update,watch', 'apps', 'controllerrevisions'),
    events,
  ],
  'deployment-controller': [
    rule('get,list,update,watch', 'apps,extensions', 'deployments'),
    rule('update', 'apps,extensions', 'deployments/status,deployments/finalizers'),
    rule('create,delete,get,list,patch,update,watch', 'apps,extensions', 'replicasets'),
    rule('get,list,update,watch', '', 'pods'),
    events,
  ],
  'disruption-controller': [
    rule(read, 'apps,extensions', 'deployments,replicasets'),
    rule(read, '', 'replicationcontrollers'),
    rule(read, 'policy', 'poddisruptionbudgets'),
    rule(read, 'apps', 'statefulsets'),
    rule('update', 'policy', 'poddisruptionbudgets/status'),
    rule('patch,update', '', 'pods/status'),
    rule('get', '*', '*/scale'),
    events,
  ],
  'endpoint-controller': [
    rule(read, '', 'pods,services'),
    rule('create,delete,get,list,update,watch', '', 'endpoints'),
    rule('create', '', 'endpoints/restricted'),
    events,
  ],
  'endpointslice-controller': [
    rule(read, '', 'nodes,pods,services'),
    rule('update', '', 'services/finalizers'),
    rule('create,delete,get,list,update,watch', 'discovery.k8s.io', 'endpointslices'),
    events,
  ],
  'generic-garbage-collector': [rule('delete,get,list,patch,update,watch', '*', '*'), events],
  'horizontal-pod-autoscaler': [
    rule(read, 'autoscaling', 'horizontalpodautoscalers'),
    rule('update', 'autoscaling', 'horizontalpodautoscalers/status'),
    rule('get,update', '*', '*/scale'),
    rule('list', '', 'pods'),
    rule('list', 'metrics.k8s.io', 'pods'),
    rule('get,list', 'custom.metrics.k8s.io,external.metrics.k8s.io', '*'),
    events,
  ],
  'job-controller': [
    rule('get,list,patch,update,watch', 'batch', 'jobs'),
    rule('update', 'batch', 'jobs/status,jobs/finalizers'),
    rule('create,delete,list,patch,watch', '', 'pods'),
    events,
  ],
  'namespace-controller': [
    rule('delete,get,list,watch', '', 'namespaces'),
    rule('update', '', 'namespaces/finalize,namespaces/status'),
    rule('delete,deletecollection,get,list', '*', '*'),
  ],
  'node-controller': [
    rule('delete,get,list,patch,update,watch', '', 'nodes'),
    rule('patch,update', '', 'nodes/status,pods/status'),
    rule('delete,get,list,watch', '', 'pods'),
    events,
  ],
  'persistent-volume-binder': [
    rule('create,delete,get,list,update,watch', '', 'persistentvolumes'),
    rule('update', '', 'persistentvolumes/status,persistentvolumeclaims/status'),
    rule('get,list,update,watch', '', 'persistentvolumeclaims'),
    rule('create,delete,get,list,watch', '', 'pods'),
    rule(read, 'storage.k8s.io', 'storageclasses'),
    rule('get,list,watch', '', 'nodes'),
    rule('watch', '', 'events'),
    events,
  ],
  'pod-garbage-collector': [
    rule('delete,list,watch', '', 'pods'),
    rule(read, '', 'nodes'),
    rule('patch', '', 'pods/status'),
  ],
  'pv-protection-controller': [rule('get,list,update,watch', '', 'persistentvolumes'), events],
  'pvc-protection-controller': [
    rule('get,list,update,watch', '', 'persistentvolumeclaims'),
    rule(read, '', 'pods'),
    events,
  ],
  'replicaset-controller': [
    rule('get,list,update,watch', 'apps,extensions', 'replicasets'),
    rule('update', 'apps,extensions', 'replicasets/status,replicasets/finalizers'),
    rule('create,delete,list,patch,watch', '', 'pods'),
    events,
  ],
  'replication-controller': [
    rule('get,list,update,watch', '', 'replicationcontrollers'),
    rule('update', '', 'replicationcontrollers/status,replicationcontrollers/finalizers'),
    rule('create,delete,list,patch,watch', '', 'pods'),
    events,
  ],
  'resourcequota-controller': [rule('list,watch', '*', '*'), rule('update', '', 'resourcequotas/status'), events],
  'root-ca-cert-publisher': [rule('create,update', '', 'configmaps'), events],
  'service-account-controller': [rule('create', '', 'serviceaccounts'), events],
  'statefulset-controller': [
    rule('list,watch', '', 'pods'),
    rule(read, 'apps', 'statefulsets'),
    rule('update', 'apps', 'statefulsets/status,statefulsets/finalizers'),
    rule('create,delete,get,patch,update', '', 'pods'),
    rule('create,delete,get,list,patch,update,watch', 'apps', 'controllerrevisions'),
    rule('create,delete,get,list,update,watch', '', 'persistentvolumeclaims'),
    events,
  ],
  'ttl-after-finished-controller': [rule('delete,get,list,watch', 'batch', 'jobs'), events],
  'certificate-controller': [
    rule('delete,get,list,watch', 'certificates.k8s.io', 'certificatesigningrequests'),
    rule('update', 'certificates.k8s.io', 'certificatesigningrequests/status,certificatesigningrequests/approval'),
    rule('approve', 'certificates.k8s.io', 'signers', 'kubernetes.io/kube-apiserver-client-kubelet'),
    rule(
      'sign',
      'certificates.k8s.io',
      'signers',
      'kubernetes.io/kube-apiserver-client,kubernetes.io/kube-apiserver-client-kubelet,kubernetes.io/kubelet-serving,kubernetes.io/legacy-unknown',
    ),
    rule('create', 'authorization.k8s.io', 'subjectaccessreviews'),
    events,
  ],
};
