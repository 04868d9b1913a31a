import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { decodeBody } from '#kube/codec/decode-body.ts';
import { builtinSchema } from '#kube/schemas/builtin-schemas.ts';
import { command } from '../../kit/command.ts';
import { kubernetesClient } from '../../kit/kubernetes-clients.ts';

import { startRecordingServer, type RecordedRequest, type RecordingServer } from './recording-server.ts';

const protobuf = 'application/vnd.kubernetes.protobuf';

/** Runs the real kubectl against the server; its own cache is in a folder of the test. */
async function kubectl(server: RecordingServer, args: readonly string[], input = ''): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'kubectl-bodies-'));
  try {
    const { stdout, stderr } = await command(
      kubernetesClient('kubectl'),
      ['--server', server.url, '--cache-dir', folder, ...args],
      { env: { HOME: folder, KUBECONFIG: join(folder, 'none') }, stdin: input },
    );
    return stdout + stderr;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function decoded({ body, contentType }: RecordedRequest, apiVersion: string, kind: string): Record<string, unknown> {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  const schema = builtinSchema(group, version, kind);
  const options = { fieldValidation: 'Strict', kind: { group, version, kind } } as const;
  return decodeBody(body, contentType, schema, options).object;
}

const bodies: readonly (readonly [string, string, string, Record<string, unknown>])[] = [
  [
    'create configmap settings --from-literal=a=1 --from-literal=b=two',
    'v1',
    'ConfigMap',
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { a: '1', b: 'two' } },
  ],
  [
    'create secret generic login --from-literal=password=x',
    'v1',
    'Secret',
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'login' }, data: { password: 'eA==' } },
  ],
  [
    'create deployment web --image=nginx --replicas=0 --port=80',
    'apps/v1',
    'Deployment',
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', labels: { app: 'web' } },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'nginx', image: 'nginx', ports: [{ containerPort: 80 }], resources: {} }] },
        },
        strategy: {},
      },
      status: {},
    },
  ],
  [
    'create job once --image=busybox -- date',
    'batch/v1',
    'Job',
    {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'once' },
      spec: {
        template: {
          metadata: {},
          spec: {
            containers: [{ name: 'once', image: 'busybox', command: ['date'], resources: {} }],
            restartPolicy: 'Never',
          },
        },
      },
      status: {},
    },
  ],
  [
    'create ingress web --rule=example.com/*=web:80',
    'networking.k8s.io/v1',
    'Ingress',
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'web' },
      spec: {
        rules: [
          {
            host: 'example.com',
            http: {
              paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }],
            },
          },
        ],
      },
      status: { loadBalancer: {} },
    },
  ],
  [
    'create quota q --hard=cpu=1,memory=1Gi',
    'v1',
    'ResourceQuota',
    {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'q' },
      spec: { hard: { cpu: '1', memory: '1Gi' } },
      status: {},
    },
  ],
  [
    'create role reader --verb=get,list --resource=pods',
    'rbac.authorization.k8s.io/v1',
    'Role',
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'reader' },
      rules: [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }],
    },
  ],
  [
    'create poddisruptionbudget p --selector=app=web --min-available=50%',
    'policy/v1',
    'PodDisruptionBudget',
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'p' },
      spec: { minAvailable: '50%', selector: { matchLabels: { app: 'web' } } },
      status: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
    },
  ],
  [
    'auth can-i list pods',
    'authorization.k8s.io/v1',
    'SelfSubjectAccessReview',
    {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      metadata: {},
      spec: { resourceAttributes: { namespace: 'default', verb: 'list', resource: 'pods' } },
      status: { allowed: false },
    },
  ],
];

describe('what kubectl sends is read', () => {
  for (const [command, apiVersion, kind, object] of bodies)
    test(`kubectl ${command}`, async () => {
      await using server = await startRecordingServer();
      const output = await kubectl(server, command.split(' '));
      const [request] = server.requests;
      assert.ok(request !== undefined, output);
      assert.equal(request.contentType, protobuf);
      const { metadata, ...rest } = decoded(request, apiVersion, kind);
      const { namespace: _, ...own } = metadata as Record<string, unknown>;
      assert.deepEqual({ ...rest, metadata: own }, object);
    });

  test('kubectl create -f, in JSON', async () => {
    await using server = await startRecordingServer();
    const manifest = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: b}]}\n';
    const output = await kubectl(server, ['create', '-f', '-'], manifest);
    const [request] = server.requests;
    assert.ok(request !== undefined, output);
    assert.equal(request.contentType, 'application/json');
    const { spec } = decoded(request, 'v1', 'Pod');
    assert.deepEqual(spec, { containers: [{ name: 'a', image: 'b', resources: {} }] });
  });
});

describe('kubectl understands the OpenAPI documents', () => {
  test('kubectl explain', async () => {
    await using server = await startRecordingServer();
    const output = await kubectl(server, ['explain', 'deployments.spec.template.spec.containers.ports']);
    assert.match(output, /GROUP:\s+apps/);
    assert.match(output, /FIELD: ports <\[\]ContainerPort>/);
    assert.match(output, /containerPort\t<integer> -required-/);
  });

  test('kubectl apply makes a strategic merge patch', async () => {
    await using server = await startRecordingServer();
    const live = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default', annotations: {} },
      spec: { ports: [{ port: 80, name: 'http', protocol: 'TCP' }] },
    };
    server.objects.set('/api/v1/namespaces/default/services/web', live);
    const manifest =
      'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 443, name: https}]}\n';
    const output = await kubectl(server, ['apply', '-f', '-'], manifest);
    const request = server.requests.find(({ method }) => method === 'PATCH');
    assert.ok(request !== undefined, output);
    assert.equal(request.contentType, 'application/strategic-merge-patch+json');
    const patch = JSON.parse(request.body.toString()) as { spec: Record<string, unknown> };
    assert.deepEqual(patch.spec['ports'], [{ name: 'https', port: 443 }]);
    assert.deepEqual(patch.spec['$setElementOrder/ports'], [{ port: 443 }]);
  });

  test('kubectl apply --server-side asks for field validation', async () => {
    await using server = await startRecordingServer();
    const manifest = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {b: c}\n';
    server.objects.set('/api/v1/namespaces/default/configmaps/a', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', namespace: 'default' },
    });
    const output = await kubectl(server, ['apply', '--server-side', '-f', '-'], manifest);
    assert.match(output, /configmap\/a serverside-applied/);
    assert.equal(server.requests[0]?.contentType, 'application/apply-patch+yaml');
  });
});
