import { specOf } from './fault-rows.ts';
import type { Fields } from './faults-of.ts';
import { ordinaryMetadata as metadata, ordinaryPod as pod, ordinarySelector as selector } from './ordinary-pod.ts';

const template = { metadata, spec: pod };

/** Objects as charts and people write them, in which nothing is wrong. */
export const ordinaryObjects: readonly (readonly [string, Fields])[] = [
  ['Pod', { metadata, ...specOf(pod) }],
  [
    'Pod',
    specOf({
      hostNetwork: true,
      hostPID: true,
      containers: [
        { name: 'a', image: 'busybox', ports: [{ containerPort: 80 }], securityContext: { privileged: true } },
      ],
    }),
  ],
  [
    'Deployment',
    {
      metadata,
      ...specOf({ replicas: 3, selector, template, strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } }),
    },
  ],
  [
    'StatefulSet',
    specOf({
      serviceName: 'webs',
      selector,
      template,
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } } },
        },
      ],
    }),
  ],
  ['DaemonSet', specOf({ selector, template, updateStrategy: { type: 'OnDelete' } })],
  ['ReplicaSet', specOf({ selector, template })],
  ['ReplicationController', specOf({ template })],
  [
    'Job',
    specOf({
      template: { spec: { ...pod, restartPolicy: 'OnFailure' } },
      completions: 5,
      parallelism: 2,
      completionMode: 'Indexed',
      ttlSecondsAfterFinished: 60,
    }),
  ],
  [
    'CronJob',
    specOf({
      schedule: '*/5 * * * *',
      timeZone: 'Etc/UTC',
      jobTemplate: { spec: { template: { spec: { ...pod, restartPolicy: 'Never' } } } },
    }),
  ],
  [
    'Service',
    specOf({
      selector: selector.matchLabels,
      ports: [
        { name: 'http', port: 80, targetPort: 'http' },
        { name: 'dns', port: 80, protocol: 'UDP' },
      ],
    }),
  ],
  ['Service', specOf({ clusterIP: 'None', selector: selector.matchLabels, publishNotReadyAddresses: true })],
  [
    'Service',
    specOf({
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
      loadBalancerSourceRanges: ['10.0.0.0/8'],
      ports: [{ port: 443, nodePort: 30_443 }],
      trafficDistribution: 'PreferClose',
    }),
  ],
  ['Service', specOf({ type: 'ExternalName', externalName: 'db.example.com.' })],
  [
    'Ingress',
    {
      metadata: { annotations: { 'nginx.ingress.kubernetes.io/rewrite-target': '/$2' } },
      ...specOf({
        ingressClassName: 'nginx',
        tls: [{ hosts: ['*.example.com'], secretName: 'tls' }],
        rules: [
          {
            host: '*.example.com',
            http: {
              paths: [
                {
                  path: '/api(/|$)(.*)',
                  pathType: 'ImplementationSpecific',
                  backend: { service: { name: 'web', port: { name: 'http' } } },
                },
              ],
            },
          },
          {
            http: {
              paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }],
            },
          },
        ],
      }),
    },
  ],
  ['IngressClass', specOf({ controller: 'k8s.io/ingress-nginx' })],
  [
    'NetworkPolicy',
    specOf({
      podSelector: selector,
      ingress: [
        {
          from: [
            { namespaceSelector: {}, podSelector: selector },
            { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } },
          ],
          ports: [{ port: 'http' }, { port: 8000, endPort: 9000 }],
        },
      ],
      egress: [{}],
    }),
  ],
  [
    'HorizontalPodAutoscaler.v2',
    specOf({
      maxReplicas: 5,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      metrics: [
        { type: 'Pods', pods: { metric: { name: 'rps' }, target: { type: 'AverageValue', averageValue: '100' } } },
      ],
      behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
    }),
  ],
  [
    'HorizontalPodAutoscaler.v1',
    specOf({ maxReplicas: 5, targetCPUUtilizationPercentage: 80, scaleTargetRef: { kind: 'Deployment', name: 'web' } }),
  ],
  ['PodDisruptionBudget', specOf({ minAvailable: '50%', selector })],
  ['ConfigMap', { data: { 'web.yaml': 'a: b', KEY: '' }, binaryData: { logo: 'AAAA' } }],
  [
    'Secret',
    { type: 'helm.sh/release.v1', metadata: { name: 'sh.helm.release.v1.web.v1' }, data: { release: 'SDRz' } },
  ],
  ['Secret', { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': '{"auths":{}}' } }],
  ['ServiceAccount', { metadata: { name: 'web' }, automountServiceAccountToken: false }],
  [
    'PersistentVolumeClaim',
    specOf({
      accessModes: ['ReadWriteMany'],
      storageClassName: '',
      resources: { requests: { storage: '1Gi' } },
      selector,
    }),
  ],
  [
    'PersistentVolume',
    specOf({
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      hostPath: { path: '/data' },
      storageClassName: 'manual',
    }),
  ],
  [
    'PersistentVolume',
    specOf({
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      local: { path: '/mnt/a' },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['n1'] }] },
          ],
        },
      },
    }),
  ],
  ['StorageClass', { provisioner: 'rancher.io/local-path', volumeBindingMode: 'WaitForFirstConsumer' }],
  [
    'ResourceQuota',
    specOf({
      hard: {
        'requests.cpu': '4',
        'limits.memory': '8Gi',
        pods: '10',
        'count/deployments.apps': '5',
        'requests.nvidia.com/gpu': '4',
        'gold.storageclass.storage.k8s.io/requests.storage': '5Gi',
      },
      scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] },
    }),
  ],
  [
    'LimitRange',
    specOf({
      limits: [
        {
          type: 'Container',
          default: { cpu: '500m' },
          defaultRequest: { cpu: '100m' },
          max: { cpu: '2' },
          min: { cpu: '50m' },
        },
        { type: 'PersistentVolumeClaim', max: { storage: '10Gi' } },
      ],
    }),
  ],
  [
    'Role',
    {
      metadata: { name: 'system:web' },
      rules: [{ apiGroups: [''], resources: ['pods', 'pods/log'], verbs: ['get', 'list'] }],
    },
  ],
  [
    'ClusterRole',
    {
      rules: [
        { nonResourceURLs: ['/metrics'], verbs: ['get'] },
        { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
      ],
    },
  ],
  [
    'RoleBinding',
    {
      metadata: { name: 'system:controller:web' },
      roleRef: { kind: 'ClusterRole', name: 'view' },
      subjects: [
        { kind: 'ServiceAccount', name: 'web', namespace: 'default' },
        { kind: 'Group', name: 'system:masters' },
      ],
    },
  ],
  ['PriorityClass', { value: 1000, preemptionPolicy: 'Never' }],
  ['PriorityClass', { metadata: { name: 'system-node-critical' }, value: 2_000_001_000 }],
  [
    'Lease',
    {
      metadata: { name: 'n1' },
      ...specOf({ holderIdentity: 'n1', leaseDurationSeconds: 40, renewTime: '2026-01-01T00:00:00.000000Z' }),
    },
  ],
  ['Namespace', { metadata: { name: 'web', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } }],
  [
    'Node',
    {
      metadata: { name: 'n1' },
      ...specOf({
        podCIDR: '10.1.0.0/24',
        podCIDRs: ['10.1.0.0/24', 'fd00::/64'],
        taints: [{ key: 'a', effect: 'NoExecute' }],
      }),
      status: { capacity: { cpu: '4', memory: '8Gi', pods: '110', 'hugepages-2Mi': '0' } },
    },
  ],
  [
    'Event',
    {
      metadata: { name: 'web.17a1' },
      involvedObject: { kind: 'Pod', name: 'web', namespace: 'default' },
      type: 'Normal',
    },
  ],
  ['Event', { involvedObject: { kind: 'Node', name: 'n1' } }],
  [
    'EndpointSlice',
    {
      addressType: 'IPv6',
      endpoints: [{ addresses: ['fd00::1'], conditions: { ready: true }, nodeName: 'n1' }],
      ports: [{ port: 80 }, { name: 'b', port: 81 }],
    },
  ],
  [
    'Endpoints',
    { subsets: [{ addresses: [{ ip: '10.0.0.1', targetRef: { kind: 'Pod', name: 'a' } }], ports: [{ port: 80 }] }] },
  ],
  ['RuntimeClass', { handler: 'runsc', overhead: { podFixed: { cpu: '100m' } } }],
  ['CSIDriver', specOf({ podInfoOnMount: true })],
  [
    'APIService',
    {
      metadata: { name: 'v1beta1.metrics.k8s.io' },
      ...specOf({
        group: 'metrics.k8s.io',
        version: 'v1beta1',
        groupPriorityMinimum: 100,
        versionPriority: 100,
        insecureSkipTLSVerify: true,
        service: { name: 'metrics-server', namespace: 'kube-system' },
      }),
    },
  ],
  [
    'ValidatingWebhookConfiguration',
    {
      webhooks: [
        {
          name: 'validate.nginx.ingress.kubernetes.io',
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
          clientConfig: { service: { name: 'c', namespace: 'n', path: '/networking/v1/ingresses' } },
          rules: [
            {
              apiGroups: ['networking.k8s.io'],
              apiVersions: ['v1'],
              operations: ['CREATE', 'UPDATE'],
              resources: ['ingresses'],
            },
          ],
        },
      ],
    },
  ],
  [
    'ValidatingAdmissionPolicy',
    specOf({
      matchConstraints: {
        resourceRules: [
          { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['deployments'] },
        ],
      },
      validations: [{ expression: 'object.spec.replicas <= 5' }],
    }),
  ],
  [
    'ValidatingAdmissionPolicyBinding',
    specOf({
      policyName: 'p',
      validationActions: ['Deny', 'Audit'],
      paramRef: { name: 'x', parameterNotFoundAction: 'Deny' },
    }),
  ],
  [
    'FlowSchema',
    specOf({
      priorityLevelConfiguration: { name: 'exempt' },
      rules: [
        {
          subjects: [{ kind: 'Group', group: { name: 'system:masters' } }],
          nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
        },
      ],
    }),
  ],
];
