import { after, before } from 'node:test';

import { nowMs } from '#base/clock.ts';
import { maximumApiVersion } from '#docker/http/api-version.ts';
import { tarEntry, writeTar } from '#formats/tar/write-tar.ts';
import { busyboxTar } from '../../kit/busybox-image.ts';
import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { send, testEndpoints } from './endpoint-case.ts';

let instance: Instance;

before(async () => {
  instance = await openInstance();
  await instance.dockerOutput('run', '-d', '--init', '--name', 'web', 'busybox', 'sleep', '3600');
  for (const version of ['24', '25', '30', String(maximumApiVersion.minor)]) {
    await instance.dockerOutput('tag', 'busybox', `tagged:${version}`);
    await instance.dockerOutput('network', 'create', '--label', `prune=${version}`, `network-${version}`);
    await instance.dockerOutput('volume', 'create', '--label', `prune=${version}`, `pruned-${version}`);
  }
});
after(async () => instance?.destroy());

async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const dockerfile = 'FROM busybox\nRUN echo built > /made\n';
const context = async (): Promise<Buffer> =>
  bytesOf(
    writeTar([{ entry: tarEntry('Dockerfile', { sizeBytes: dockerfile.length }), body: Buffer.from(dockerfile) }]),
  );
const busybox = { name: 'busybox:latest' };
const noSwarm = 'This node is not a swarm manager';
const noPlugins = 'Cannot use plugins: this daemon has none';

testEndpoints(
  () => instance,
  [
    { proves: 'GET /_ping', shows: /^OK$/ },
    { proves: 'HEAD /_ping', shows: /"api-version":"1/ },
    { proves: 'GET /version', shows: /"MinAPIVersion":"1\.24"/ },
    { proves: 'GET /info', shows: /"OSType":"linux"/ },
    {
      proves: 'GET /events',
      query: () => `since=1&until=${String(Math.ceil(nowMs() / 1000))}&filters={"type":["container"]}`,
      shows: /"Action":"start"/,
    },
    { proves: 'GET /system/df', since: 25, shows: /"LayersSize":[1-9].*"Volumes":|"ImageUsage":/ },

    {
      proves: 'POST /images/create',
      query: 'fromSrc=-&repo=imported&tag=V',
      body: async () => bytesOf(busyboxTar()),
      shows: /sha256:/,
    },
    { proves: 'GET /images/json', shows: /"RepoTags":\[[^\]]*"busybox:latest"/ },
    {
      proves: 'GET /images/{name}/json',
      with: busybox,
      shows: /"RepoTags":\[[^\]]*"busybox:latest".*"Layers":\["sha256:/,
    },
    { proves: 'GET /images/{name}/history', with: busybox, shows: /"Id":"sha256:/ },
    { proves: 'POST /images/{name}/tag', with: busybox, query: 'repo=again&tag=V', status: 201 },
    { proves: 'GET /images/{name}/get', with: busybox, shows: /manifest\.json[^]*RepoTags/ },
    { proves: 'GET /images/get', query: 'names=busybox:latest&names=again:V', shows: /manifest\.json[^]*RepoTags/ },
    {
      proves: 'POST /images/load',
      body: async () => Buffer.from((await send(instance, 'GET', '/images/busybox/get')).bytes),
      shows: /Loaded image/,
    },
    { proves: 'DELETE /images/{name}', with: { name: 'tagged:V' }, shows: /"Untagged":"tagged:/ },
    { proves: 'POST /images/prune', since: 25, query: 'filters={"dangling":["true"]}', shows: /"SpaceReclaimed":\d/ },
    { proves: 'POST /build', query: 't=built:V', body: context, shows: /Successfully tagged built:/ },
    { proves: 'POST /build/prune', since: 31, shows: /"SpaceReclaimed":\d/ },

    { proves: 'POST /networks/create', body: { Name: 'made-V' }, status: 201, shows: /"Id":"[0-9a-f]{64}"/ },
    { proves: 'GET /networks', query: 'filters={"name":["made"]}', shows: /"Name":"made-24"/ },
    { proves: 'GET /networks/{id}', with: { id: 'made-V' }, shows: /"Driver":"bridge"/ },
    { proves: 'POST /networks/{id}/connect', with: { id: 'made-V' }, body: { Container: 'web' } },
    { proves: 'POST /networks/{id}/disconnect', with: { id: 'made-V' }, body: { Container: 'web' } },
    { proves: 'DELETE /networks/{id}', with: { id: 'made-V' }, status: 204 },
    {
      proves: 'POST /networks/prune',
      since: 25,
      query: 'filters={"label":["prune=V"]}',
      shows: /"NetworksDeleted":\["network-/,
    },

    {
      proves: 'POST /volumes/create',
      body: { Name: 'made-V', Labels: { a: 'b' } },
      status: 201,
      shows: /"Name":"made-/,
    },
    { proves: 'GET /volumes', query: 'filters={"label":["a=b"]}', shows: /"Name":"made-24"/ },
    { proves: 'GET /volumes/{name}', with: { name: 'made-V' }, shows: /"Driver":"local"/ },
    { proves: 'DELETE /volumes/{name}', with: { name: 'made-V' }, status: 204 },
    {
      proves: 'POST /volumes/prune',
      since: 25,
      query: 'filters={"all":["true"],"label":["prune=V"]}',
      shows: /"VolumesDeleted":\["pruned-/,
    },
    { inapplicable: 'PUT /volumes/{name}', with: { name: 'made' }, sentence: noSwarm },

    { proves: 'GET /plugins', shows: /^\[\]$/m },
    { inapplicable: 'GET /plugins/{name}/json', with: { name: 'some' }, sentence: 'plugin \\"some\\" not found' },
    {
      inapplicable: [
        'GET /plugins/privileges',
        'POST /plugins/pull',
        'DELETE /plugins/{name}',
        'POST /plugins/{name}/enable',
        'POST /plugins/{name}/disable',
        'POST /plugins/{name}/upgrade',
        'POST /plugins/create',
        'POST /plugins/{name}/push',
        'POST /plugins/{name}/set',
      ],
      sentence: noPlugins,
    },
    {
      inapplicable: ['POST /swarm/init', 'POST /swarm/join'],
      sentence: 'Cannot form a swarm: this daemon runs containers on one machine',
    },
    {
      inapplicable: [
        'GET /nodes',
        'GET /nodes/{id}',
        'DELETE /nodes/{id}',
        'POST /nodes/{id}/update',
        'GET /swarm',
        'POST /swarm/leave',
        'POST /swarm/update',
        'GET /swarm/unlockkey',
        'POST /swarm/unlock',
        'GET /services',
        'POST /services/create',
        'GET /services/{id}',
        'DELETE /services/{id}',
        'POST /services/{id}/update',
        'GET /services/{id}/logs',
        'GET /tasks',
        'GET /tasks/{id}',
        'GET /tasks/{id}/logs',
        'GET /secrets',
        'POST /secrets/create',
        'GET /secrets/{id}',
        'DELETE /secrets/{id}',
        'POST /secrets/{id}/update',
        'GET /configs',
        'POST /configs/create',
        'GET /configs/{id}',
        'DELETE /configs/{id}',
        'POST /configs/{id}/update',
      ],
      sentence: noSwarm,
    },
  ],
);
