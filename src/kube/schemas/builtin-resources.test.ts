import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { builtinGroupVersions, builtinResources } from './builtin-resources.ts';
import { builtinSchema } from './builtin-schemas.ts';

describe('builtin resources', () => {
  const resources = builtinResources();
  const find = (group: string, plural: string) => resources.find((one) => one.group === group && one.plural === plural);

  test('have scope, verbs and kind', () => {
    const pods = find('', 'pods');
    assert.deepEqual([pods?.kind, pods?.scope, pods?.version], ['Pod', 'Namespaced', 'v1']);
    assert.deepEqual(pods?.verbs, ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']);
    assert.equal(find('', 'nodes')?.scope, 'Cluster');
    assert.deepEqual(find('authorization.k8s.io', 'subjectaccessreviews')?.verbs, ['create']);
    assert.equal(find('', 'namespaces')?.verbs.includes('deletecollection'), false);
  });

  test('have subresources with the kind of what is sent', () => {
    const bodies = find('', 'pods')?.subresources.map(({ name, body }) => `${name} ${body.group}/${body.kind}`);
    assert.deepEqual(bodies, [
      'attach /PodAttachOptions',
      'binding /Binding',
      'ephemeralcontainers /Pod',
      'eviction policy/Eviction',
      'exec /PodExecOptions',
      'log /Pod',
      'portforward /PodPortForwardOptions',
      'proxy /PodProxyOptions',
      'resize /Pod',
      'status /Pod',
    ]);
    const scale = find('apps', 'deployments')?.subresources.find((one) => one.name === 'scale');
    assert.deepEqual(scale?.body, { group: 'autoscaling', version: 'v1', kind: 'Scale' });
    assert.deepEqual(find('', 'pods')?.subresources.find((one) => one.name === 'exec')?.verbs, ['create', 'get']);
  });

  test('are of kinds that have schemas, in group versions that discovery lists', () => {
    const listed = new Set(builtinGroupVersions.map(({ group, version }) => `${group}/${version}`));
    for (const { group, version, kind, subresources } of resources) {
      assert.ok(listed.has(`${group}/${version}`), `${group}/${version}`);
      assert.ok(builtinSchema(group, version, kind) !== undefined, kind);
      for (const { body } of subresources)
        assert.ok(builtinSchema(body.group, body.version, body.kind) !== undefined, body.kind);
    }
    assert.equal(new Set(resources.map(({ group, version }) => `${group}/${version}`)).size, listed.size);
  });
});
