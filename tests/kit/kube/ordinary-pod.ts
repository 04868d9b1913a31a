export const ordinarySelector = {
  matchLabels: { 'app.kubernetes.io/name': 'web', 'app.kubernetes.io/instance': 'one' },
};
export const ordinaryMetadata = { labels: { ...ordinarySelector.matchLabels, 'helm.sh/chart': 'web-1.2.3' } };

/** A pod that uses about everything that charts use. */
export const ordinaryPod = {
  serviceAccountName: 'web',
  automountServiceAccountToken: false,
  hostname: 'web',
  subdomain: 'webs',
  priorityClassName: 'system-cluster-critical',
  runtimeClassName: 'gvisor',
  terminationGracePeriodSeconds: 60,
  shareProcessNamespace: true,
  imagePullSecrets: [{ name: 'registry' }],
  securityContext: {
    runAsNonRoot: true,
    runAsUser: 65_534,
    fsGroup: 2000,
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
    sysctls: [{ name: 'net.core.somaxconn', value: '1024' }],
  },
  nodeSelector: { 'kubernetes.io/os': 'linux' },
  tolerations: [
    { key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' },
    { operator: 'Exists' },
    { key: 'a', value: 'b', effect: 'NoExecute', tolerationSeconds: 300 },
  ],
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          { matchExpressions: [{ key: 'kubernetes.io/arch', operator: 'In', values: ['amd64', 'arm64'] }] },
        ],
      },
    },
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 100, podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: ordinarySelector } },
      ],
    },
  },
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: 'topology.kubernetes.io/zone',
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: ordinarySelector,
    },
  ],
  hostAliases: [{ ip: '127.0.0.1', hostnames: ['a.local'] }],
  dnsConfig: { options: [{ name: 'ndots', value: '2' }], searches: ['svc.cluster.local'] },
  initContainers: [
    {
      name: 'init',
      image: 'busybox:1.36',
      command: ['sh', '-c', 'true'],
      volumeMounts: [{ name: 'data', mountPath: '/data' }],
    },
    {
      name: 'sidecar',
      image: 'fluent/fluent-bit@sha256:abc',
      restartPolicy: 'Always',
      startupProbe: { exec: { command: ['true'] } },
    },
  ],
  containers: [
    {
      name: 'web',
      image: 'registry.example.com:5000/team/web:1.2.3',
      args: ['--verbose'],
      ports: [
        { name: 'http', containerPort: 8080 },
        { name: 'metrics', containerPort: 9090, protocol: 'TCP' },
        { name: 'dns', containerPort: 8080, protocol: 'UDP' },
      ],
      env: [
        { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        { name: 'NODE', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'spec.nodeName' } } },
        { name: 'LABEL', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app.kubernetes.io/name']" } } },
        { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
        { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password', optional: true } } },
        { name: 'EMPTY', value: '' },
        { name: 'my.setting-1', value: '$(POD_IP)' },
      ],
      envFrom: [{ configMapRef: { name: 'web' } }, { prefix: 'DB_', secretRef: { name: 'db' } }],
      resources: {
        requests: { cpu: '100m', memory: '128Mi', 'ephemeral-storage': '1Gi' },
        limits: { memory: '128Mi', cpu: '1', 'nvidia.com/gpu': '1' },
      },
      livenessProbe: {
        httpGet: { path: '/healthz', port: 'http', httpHeaders: [{ name: 'Host', value: 'x' }] },
        initialDelaySeconds: 5,
      },
      readinessProbe: { tcpSocket: { port: 8080 }, successThreshold: 2 },
      startupProbe: { grpc: { port: 9090 }, failureThreshold: 30 },
      lifecycle: { preStop: { sleep: { seconds: 5 } }, postStart: { exec: { command: ['true'] } } },
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
      },
      volumeMounts: [
        { name: 'data', mountPath: '/data', subPath: 'web' },
        { name: 'config', mountPath: '/etc/web', readOnly: true },
        { name: 'info', mountPath: '/etc/info' },
        { name: 'token', mountPath: '/var/run/secrets/tokens' },
        { name: 'scratch', mountPath: '/tmp' },
        { name: 'host', mountPath: '/host', mountPropagation: 'HostToContainer' },
      ],
      volumeDevices: [{ name: 'block', devicePath: '/dev/xvda' }],
    },
  ],
  volumes: [
    { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
    {
      name: 'block',
      ephemeral: {
        volumeClaimTemplate: {
          spec: { accessModes: ['ReadWriteOnce'], volumeMode: 'Block', resources: { requests: { storage: '1Gi' } } },
        },
      },
    },
    {
      name: 'config',
      configMap: { name: 'web', defaultMode: 292, items: [{ key: 'web.yaml', path: 'conf/web.yaml' }] },
    },
    {
      name: 'info',
      downwardAPI: {
        items: [
          { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
          { path: 'cpu', resourceFieldRef: { containerName: 'web', resource: 'requests.cpu' } },
        ],
      },
    },
    {
      name: 'token',
      projected: {
        sources: [
          { serviceAccountToken: { path: 'token', audience: 'vault', expirationSeconds: 7200 } },
          { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        ],
      },
    },
    { name: 'scratch', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
    { name: 'host', hostPath: { path: '/var/log', type: 'DirectoryOrCreate' } },
  ],
};
