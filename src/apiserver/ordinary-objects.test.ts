import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { openMemoryApi } from '#kit/kube-api/memory-api.ts';
import { type Fields, kindNamed } from '#kit/kube/faults-of.ts';
import { ordinaryObjects } from '#kit/kube/ordinary-objects.ts';

/** Where objects of a kind are, and one of them with a name of its own. */
function requestOf(kindName: string, index: number, fields: Fields): { list: string; body: Fields; name: string } {
  const { group, version, kind, plural, scope } = kindNamed(kindName);
  const apiVersion = group === '' ? version : `${group}/${version}`;
  const root = group === '' ? `/api/${version}` : `/apis/${apiVersion}`;
  const { metadata, ...rest } = structuredClone(fields);
  const named = { name: `x${String(index)}`, ...(metadata as object) };
  const list = scope === 'Cluster' ? `${root}/${plural}` : `${root}/namespaces/default/${plural}`;
  return { list, name: named.name, body: { apiVersion, kind, ...rest, metadata: named } };
}

describe('ordinary objects', () => {
  test('are created, sent again without change, labelled and listed', async (t) => {
    const api = await openMemoryApi(t);
    for (const [index, [kindName, fields]] of ordinaryObjects.entries()) {
      const { list, name, body } = requestOf(kindName, index, fields);
      const made = await api.must(api.post(list, body));
      const same = await api.must(api.put(`${list}/${name}`, made));
      assert.deepEqual(same, made, kindName);
      const hasStatus = kindNamed(kindName).subresources.some((one) => one.name === 'status');
      if (hasStatus) assert.deepEqual(await api.must(api.put(`${list}/${name}/status`, made)), made, kindName);
      const labelled = await api.must(
        api.patch(`${list}/${name}`, 'application/merge-patch+json', { metadata: { labels: { seen: 'yes' } } }),
      );
      assert.equal(labelled.metadata.labels.seen, 'yes');
      assert.equal(labelled.metadata.generation, made.metadata.generation, kindName);
      const table = await api.get(list, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
      assert.equal(table.body.kind, 'Table');
    }
  });

  test('a wrong one is refused with all that is wrong', async (t) => {
    const api = await openMemoryApi(t);
    const { status, body } = await api.post('/apis/apps/v1/namespaces/default/deployments', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'c' } }, spec: { containers: [{ name: 'a', image: 'i' }] } },
      },
    });
    assert.equal(status, 422);
    assert.equal(
      body.message,
      'Deployment.apps "web" is invalid: spec.template.metadata.labels: Invalid value: {"a":"c"}: `selector` does not match template `labels`',
    );
    assert.deepEqual(body.details.causes, [
      {
        reason: 'FieldValueInvalid',
        message: 'Invalid value: {"a":"c"}: `selector` does not match template `labels`',
        field: 'spec.template.metadata.labels',
      },
    ]);
  });
});
