import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ImageRoom } from '#kit/image-room.ts';
import { refuse, ScriptedRegistry } from '#kit/scripted-registry.ts';

const never = new AbortController().signal;

test('a search interface is asked first, then the catalog, page by page', async () => {
  await using registry = await ScriptedRegistry.open();
  await using room = await ImageRoom.open();
  const search = (term: string, limit = 5) => room.images.search({ registry: registry.host, term, limit }, never);
  registry.intercept = ({ url }, response) => {
    if (!url.startsWith('/v1/search?q=app&n=5')) return false;
    const result = { name: 'app', description: 'an app', star_count: 7, is_official: true };
    response.end(JSON.stringify({ results: [result, 'nonsense', { name: 5 }] }));
    return true;
  };
  const found = await search('app');
  assert.deepEqual(found[0], {
    name: 'app',
    description: 'an app',
    stars: 7,
    isOfficial: true,
    isAutomated: false,
  });
  assert.equal(found[1]?.name, '');

  const all = Array.from({ length: 1500 }, (_, index) => `team/app-${String(index).padStart(4, '0')}`);
  registry.intercept = ({ url }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://x');
    if (pathname !== '/v2/_catalog') return (refuse(response, 404, 'NOT_FOUND', 'no such page'), true);
    const from = all.findIndex((name) => name > (searchParams.get('last') ?? ''));
    response.end(JSON.stringify({ repositories: all.slice(from, from + Number(searchParams.get('n'))) }));
    return true;
  };
  const names = (await search('app-149')).map(({ name }) => name);
  assert.deepEqual(names, all.slice(1490, 1495));
});

test('a registry that has neither, or wants a login, says so', async () => {
  await using registry = await ScriptedRegistry.open();
  await using room = await ImageRoom.open();
  const search = () => room.images.search({ registry: registry.host, term: 'x', limit: 5 }, never);
  await assert.rejects(search(), { reason: 'NotSupported', message: /neither a search nor a catalog/ });
  registry.intercept = (_, response) => (refuse(response, 401, 'UNAUTHORIZED', 'log in'), true);
  await assert.rejects(search(), { reason: 'Unauthorized' });
});
