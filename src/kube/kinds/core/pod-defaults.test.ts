import { podSpecDefaults, testDefaults, type DefaultRow } from '#kit/kube/default-rows.ts';
import { specOf } from '#kit/kube/fault-rows.ts';

const container = {
  imagePullPolicy: 'Always',
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  resources: {},
};
const probe = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };

const rows: readonly DefaultRow[] = [
  ['Pod', {}, specOf({ ...podSpecDefaults, enableServiceLinks: true })],
  [
    'Pod',
    specOf({ containers: [{ name: 'a', image: 'nginx', ports: [{ containerPort: 80 }] }], hostNetwork: true }),
    specOf({
      ...podSpecDefaults,
      containers: [
        { name: 'a', image: 'nginx', ...container, ports: [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }] },
      ],
      hostNetwork: true,
      enableServiceLinks: true,
    }),
  ],
  [
    'Pod',
    specOf({
      serviceAccount: 'robot',
      containers: [
        {
          image: 'a:1',
          resources: { limits: { cpu: '1', memory: '100u' }, requests: { cpu: '500m' } },
          livenessProbe: { httpGet: { port: 80 } },
          readinessProbe: { grpc: { port: 1 }, periodSeconds: 3 },
          lifecycle: { preStop: { httpGet: { port: 1, path: '/x' } } },
          env: [
            { name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
            { name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
          ],
        },
      ],
    }),
    specOf({
      ...podSpecDefaults,
      serviceAccount: 'robot',
      serviceAccountName: 'robot',
      containers: [
        {
          ...container,
          image: 'a:1',
          imagePullPolicy: 'IfNotPresent',
          resources: { limits: { cpu: '1', memory: '1m' }, requests: { cpu: '500m', memory: '1m' } },
          livenessProbe: { ...probe, httpGet: { port: 80, path: '/', scheme: 'HTTP' } },
          readinessProbe: { ...probe, grpc: { port: 1, service: '' }, periodSeconds: 3 },
          lifecycle: { preStop: { httpGet: { port: 1, path: '/x', scheme: 'HTTP' } } },
          env: [
            { name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name', apiVersion: 'v1' } } },
            { name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '0' } } },
          ],
        },
      ],
      enableServiceLinks: true,
    }),
  ],
  [
    'PodTemplate',
    {
      template: {
        spec: {
          volumes: [
            { name: 'a' },
            { name: 'b', secret: { secretName: 's' } },
            { name: 'c', configMap: { name: 'c', defaultMode: 256 } },
            {
              name: 'd',
              projected: {
                sources: [{ serviceAccountToken: { path: 't' } }, { downwardAPI: { items: [{ fieldRef: {} }] } }],
              },
            },
            { name: 'e', hostPath: { path: '/' } },
            { name: 'f', ephemeral: { volumeClaimTemplate: { spec: {} } } },
            { name: 'g', image: { reference: 'a@sha256:0' } },
          ],
        },
      },
    },
    {
      template: {
        metadata: {},
        spec: {
          ...podSpecDefaults,
          volumes: [
            { name: 'a', emptyDir: {} },
            { name: 'b', secret: { secretName: 's', defaultMode: 420 } },
            { name: 'c', configMap: { name: 'c', defaultMode: 256 } },
            {
              name: 'd',
              projected: {
                sources: [
                  { serviceAccountToken: { path: 't', expirationSeconds: 3600 } },
                  { downwardAPI: { items: [{ fieldRef: { apiVersion: 'v1' } }] } },
                ],
                defaultMode: 420,
              },
            },
            { name: 'e', hostPath: { path: '/', type: '' } },
            {
              name: 'f',
              ephemeral: { volumeClaimTemplate: { metadata: {}, spec: { volumeMode: 'Filesystem', resources: {} } } },
            },
            { name: 'g', image: { reference: 'a@sha256:0', pullPolicy: 'IfNotPresent' } },
          ],
        },
      },
    },
  ],
];

testDefaults('defaults of pods', rows);
