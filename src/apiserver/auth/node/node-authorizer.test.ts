import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { MemoryObjects } from '#kit/kube-auth/memory-objects.ts';
import type { Resource } from '#kube/resource.ts';

import type { Decision, ResourceAttributes } from '../authorizer.ts';
import { followGraph } from './follow-graph.ts';
import { nodeAuthorizer, nodeOf } from './node-authorizer.ts';
import { NodeGraph } from './node-graph.ts';

const agent = { name: 'system:node:n', uid: '', groups: ['system:nodes', 'system:authenticated'], extra: {} };
const pod: Resource = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'a', name: 'p' },
  spec: {
    nodeName: 'n',
    serviceAccountName: 'robot',
    imagePullSecrets: [{ name: 'pull' }],
    initContainers: [{ env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'init', key: 'k' } } }] }],
    containers: [
      {
        env: [
          { name: 'X', valueFrom: { configMapKeyRef: { name: 'env', key: 'k' } } },
          { name: 'Y', value: 'z' },
        ],
        envFrom: [{ secretRef: { name: 'from' } }, { configMapRef: { name: 'env-from' } }],
      },
    ],
    volumes: [
      { name: 'a', secret: { secretName: 'mounted' } },
      { name: 'b', configMap: { name: 'settings' } },
      { name: 'c', persistentVolumeClaim: { claimName: 'claim' } },
      { name: 'd', projected: { sources: [{ secret: { name: 'projected' } }, { configMap: { name: 'root' } }] } },
      { name: 'e', csi: { driver: 'x', nodePublishSecretRef: { name: 'csi' } } },
    ],
  },
};
const volume: Resource = {
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: 'pv' },
  spec: { claimRef: { namespace: 'a', name: 'claim' }, csi: { nodeStageSecretRef: { namespace: 'b', name: 'stage' } } },
};
const attachment: Resource = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'VolumeAttachment',
  metadata: { name: 'va' },
  spec: { nodeName: 'n' },
};

/** `get secrets a/name`, `list pods`, `create serviceaccounts/token a/robot`. */
function asked(text: string, parts: Partial<ResourceAttributes> = {}): ResourceAttributes {
  const [verb = '', what = '', where = ''] = text.split(' ');
  const [kind = '', subresource = ''] = what.split('/');
  const [resource = '', ...group] = kind.split('.');
  const at = where.includes('/') ? (where.split('/')[0] ?? '') : '';
  const name = where.slice(at === '' ? 0 : at.length + 1);
  const rest = { verb, group: group.join('.'), version: 'v1', resource, subresource, namespace: at, name };
  return { type: 'resource', user: agent, ...rest, ...parts };
}

describe('the Node authorizer', () => {
  const graph = new NodeGraph();
  graph.put({ group: '', resource: 'pods' }, pod);
  graph.put({ group: '', resource: 'persistentvolumes' }, volume);
  graph.put({ group: 'storage.k8s.io', resource: 'volumeattachments' }, attachment);
  const decide = (text: string, parts?: Partial<ResourceAttributes>): Decision =>
    nodeAuthorizer(graph).authorize(asked(text, parts));

  test('lets a node read what its pods need', () => {
    const secrets = ['pull', 'init', 'from', 'mounted', 'projected', 'csi'].map((name) => `get secrets a/${name}`);
    const maps = ['env', 'env-from', 'settings', 'root'].map((name) => `watch configmaps a/${name}`);
    const others = [
      'get persistentvolumeclaims a/claim',
      'patch persistentvolumeclaims/status a/claim',
      'get persistentvolumes pv',
      'get secrets b/stage',
      'get volumeattachments.storage.k8s.io va',
      'create serviceaccounts/token a/robot',
      'get pods a/p',
      'list pods a/p',
      'create pods',
      'patch pods/status a/p',
      'create pods/eviction a/p',
      'get nodes n',
      'patch nodes/status n',
      'create nodes',
      'update leases.coordination.k8s.io kube-node-lease/n',
      'get csinodes.storage.k8s.io n',
      'create events.events.k8s.io a/x',
      'list services',
      'create certificatesigningrequests.certificates.k8s.io',
    ];
    for (const text of [...secrets, ...maps, ...others]) assert.equal(decide(text).verdict, 'allow', text);
    assert.equal(decide('list pods', { fields: { 'spec.nodeName': 'n' } }).verdict, 'allow');
  });

  test('and nothing else, saying why', () => {
    const unrelated = "no relationship found between node 'n' and this object";
    const rows: readonly (readonly [string, string])[] = [
      ['get secrets a/other', unrelated],
      ['get secrets b/pull', unrelated],
      ['get configmaps a/pull', unrelated],
      ['get pods a/other', unrelated],
      ['create serviceaccounts/token a/boss', unrelated],
      ['list secrets', 'No Object name found'],
      ['delete secrets a/pull', 'can only read resources of this type'],
      ['list persistentvolumes pv', 'can only get individual resources of this type'],
      ['delete persistentvolumeclaims/status a/claim', 'can only get/update/patch this type'],
      ['create serviceaccounts/token', 'can only create tokens for individual service accounts'],
      ['list pods', 'can only list/watch pods with spec.nodeName field selector'],
      ['get nodes other', "node 'n' cannot read 'other', only its own Node object"],
      ['delete nodes n', ''],
      ['update pods a/p', ''],
      ['get leases.coordination.k8s.io a/n', 'can only access leases in the "kube-node-lease" system namespace'],
      [
        'get leases.coordination.k8s.io kube-node-lease/m',
        'can only access node lease with the same name as the requesting node',
      ],
      [
        'list leases.coordination.k8s.io kube-node-lease/n',
        'can only get, create, update, patch, or delete a node lease',
      ],
      ['get csinodes.storage.k8s.io m', 'can only access CSINode with the same name as the requesting node'],
      ['list csinodes.storage.k8s.io', 'can only get, create, update, patch, or delete a CSINode'],
      ['list deployments.apps', ''],
    ];
    for (const [text, reason] of rows) assert.deepEqual(decide(text), { verdict: 'no-opinion', reason }, text);
    const other = { 'spec.nodeName': 'm' };
    assert.equal(decide('watch pods', { fields: other }).verdict, 'no-opinion');
  });

  test('is not asked for others', () => {
    assert.equal(nodeOf(agent), 'n');
    assert.equal(nodeOf({ ...agent, groups: [] }), undefined);
    assert.equal(nodeOf({ ...agent, name: 'jane' }), undefined);
    assert.equal(decide('get nodes n', { user: { ...agent, groups: [] } }).verdict, 'no-opinion');
    assert.equal(
      nodeAuthorizer(graph).authorize({ type: 'path', user: agent, verb: 'get', path: '/x' }).verdict,
      'no-opinion',
    );
  });
});

test('the graph follows pods as they come, move and go', async () => {
  const objects = new MemoryObjects([pod, volume]);
  const graph = new NodeGraph();
  const controller = new AbortController();
  await followGraph(objects, graph, (error) => assert.fail(String(error)), controller.signal);
  const turn = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));
  assert.ok(graph.reaches('n', 'persistentvolumes', '', 'pv'));
  objects.put({ ...pod, spec: { ...(pod['spec'] as object), nodeName: 'm' } });
  await turn();
  assert.ok(!graph.reaches('n', 'secrets', 'a', 'pull') && graph.reaches('m', 'secrets', 'a', 'pull'));
  const annotations = { 'kubernetes.io/config.mirror': 'x' };
  objects.put({ ...pod, metadata: { ...pod.metadata, name: 'mirror', annotations } });
  objects.remove({ group: '', resource: 'pods' }, 'a', 'p');
  await turn();
  assert.ok(!graph.reaches('m', 'secrets', 'a', 'pull') && !graph.reaches('n', 'secrets', 'a', 'pull'));
  assert.ok(graph.reaches('n', 'pods', 'a', 'mirror'));
  controller.abort();
});
