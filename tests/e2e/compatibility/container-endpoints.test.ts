import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { formatVersion, maximumApiVersion } from '#docker/http/api-version.ts';
import { tarEntry, writeTar } from '#formats/tar/write-tar.ts';
import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { proves } from '../../kit/proves.ts';
import { send, testEndpoints } from './endpoint-case.ts';

let instance: Instance;

before(async () => {
  instance = await openInstance();
  await instance.dockerOutput(
    'run',
    '-d',
    '--init',
    '--name',
    'web',
    '-t',
    'busybox',
    'sh',
    '-c',
    'echo said; sleep 3600',
  );
  await instance.dockerOutput('run', '--name', 'done', 'busybox', 'sh', '-c', 'echo gone; touch /made');
  for (const version of ['24', '25', String(maximumApiVersion.minor)]) {
    await instance.dockerOutput('create', '--name', `life-${version}`, '--init', 'busybox', 'sleep', '3600');
    await instance.dockerOutput('create', '--name', `old-${version}`, 'busybox');
    await instance.dockerOutput('create', '--name', `tag-${version}`, '--label', `prune=${version}`, 'busybox');
  }
});
after(async () => instance?.destroy());

async function smallTar(): Promise<Buffer> {
  const chunks = [];
  for await (const chunk of writeTar([{ entry: tarEntry('put', { sizeBytes: 3 }), body: Buffer.from('yes') }]))
    chunks.push(chunk);
  return Buffer.concat(chunks);
}

const web = { id: 'web' };
const life = { id: 'life-V' };
const checkpoints = 'checkpoints are not supported';

testEndpoints(
  () => instance,
  [
    {
      proves: 'POST /containers/create',
      query: 'name=made-V',
      body: { Image: 'busybox', Cmd: ['true'] },
      status: 201,
      shows: /"Id":"[0-9a-f]{64}"/,
    },
    { proves: 'GET /containers/json', query: 'all=1&size=1', shows: /"Names":\["\/web"\].*"SizeRw":\d/ },
    { proves: 'GET /containers/{id}/json', with: web, query: 'size=1', shows: /"Path":"sh".*"SizeRootFs":\d/ },
    {
      proves: 'GET /containers/{id}/top',
      with: web,
      query: 'ps_args=-o%20pid,args',
      shows: /"Titles":\["PID","COMMAND"\].*sleep 3600/,
    },
    { proves: 'GET /containers/{id}/logs', with: web, query: 'stdout=1&tail=1', shows: /said\r\n/ },
    { proves: 'GET /containers/{id}/changes', with: { id: 'done' }, shows: /{"Path":"\/made","Kind":1}/ },
    { proves: 'GET /containers/{id}/export', with: web, shows: /bin\/busybox/ },
    {
      proves: 'GET /containers/{id}/stats',
      with: web,
      query: 'stream=0&one-shot=1',
      shows: /"cpu_usage":{"total_usage":[1-9]/,
    },
    { proves: 'POST /containers/{id}/resize', with: web, query: 'h=30&w=100' },
    {
      proves: 'POST /containers/{id}/update',
      with: web,
      body: { Memory: 67_108_864, MemorySwap: 134_217_728 },
      shows: /"Warnings"/,
    },
    { proves: 'POST /containers/{id}/pause', with: web, status: [204, 409] },
    { proves: 'POST /containers/{id}/unpause', with: web, status: [204, 409] },
    {
      proves: 'HEAD /containers/{id}/archive',
      with: web,
      query: 'path=/etc/passwd',
      shows: /x-docker-container-path-stat/,
    },
    { proves: 'GET /containers/{id}/archive', with: web, query: 'path=/etc/passwd', shows: /root:x:0:0/ },
    { proves: 'PUT /containers/{id}/archive', with: web, query: 'path=/tmp', body: smallTar },
    { proves: 'POST /containers/{id}/start', with: life, status: 204 },
    { proves: 'POST /containers/{id}/restart', with: life, query: 't=5', status: 204 },
    { proves: 'POST /containers/{id}/stop', with: life, query: 't=5', status: 204 },
    { proves: 'POST /containers/{id}/rename', with: life, query: 'name=renamed-V', status: 204 },
    { proves: 'POST /containers/{id}/wait', with: { id: 'done' }, shows: /{"StatusCode":0}/ },
    { proves: 'POST /containers/{id}/attach', with: { id: 'done' }, query: 'logs=1&stdout=1', shows: /gone/ },
    { refuses: 'GET /containers/{id}/attach/ws', with: web, sentence: 'Cannot attach over a WebSocket: use POST' },
    { proves: 'POST /containers/{id}/kill', with: web, query: 'signal=SIGWINCH', status: 204 },
    { proves: 'DELETE /containers/{id}', with: { id: 'old-V' }, status: 204 },
    {
      proves: 'POST /containers/prune',
      since: 25,
      query: 'filters={"label":["prune=V"]}',
      shows: /"ContainersDeleted":\["[0-9a-f]{64}"\]/,
    },
    { proves: 'POST /commit', query: 'container=done&repo=committed&tag=V', status: 201, shows: /"Id":"sha256:/ },
    { refuses: 'POST /containers/{id}/checkpoints', with: web, sentence: checkpoints },
    { refuses: 'GET /containers/{id}/checkpoints', with: web, sentence: checkpoints },
    { refuses: 'DELETE /containers/{id}/checkpoints/{checkpoint}', with: web, sentence: checkpoints },
    {
      proves: 'POST /containers/{id}/exec',
      with: web,
      body: { Cmd: ['echo', 'inside'], AttachStdout: true },
      status: 201,
      shows: /"Id":"[0-9a-f]{64}"/,
    },
  ],
);

test(
  'a program runs in a container, by the oldest and the newest API',
  proves('POST /exec/{id}/start', 'POST /exec/{id}/resize', 'GET /exec/{id}/json'),
  async () => {
    for (const version of ['/v1.24', `/v${formatVersion(maximumApiVersion)}`]) {
      const post = async (path: string, body: object): Promise<string> => {
        const answer = await send(instance, 'POST', `${version}${path}`, {
          bytes: JSON.stringify(body),
          type: 'application/json',
        });
        assert.ok(answer.status < 300, answer.text);
        return answer.text;
      };
      const create = async (body: object): Promise<string> =>
        (JSON.parse(await post('/containers/web/exec', body)) as { Id: string }).Id;
      const once = await create({ Cmd: ['sh', '-c', 'echo inside; exit 7'], AttachStdout: true });
      assert.match(await post(`/exec/${once}/start`, {}), /inside/);
      const { text } = await send(instance, 'GET', `${version}/exec/${once}/json`);
      assert.match(text, /"Running":false,"ExitCode":7/);
      const long = await create({ Cmd: ['sleep', '3600'], Tty: true });
      await post(`/exec/${long}/start`, { Detach: true, Tty: true });
      await post(`/exec/${long}/resize?h=20&w=70`, {});
    }
  },
);
