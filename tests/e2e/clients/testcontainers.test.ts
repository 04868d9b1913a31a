import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';

import { DockerComposeEnvironment, GenericContainer, Network, Wait } from 'testcontainers';

import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { tempFolder } from '../../kit/temp-root.ts';
import { toolPath } from '../../kit/tools.ts';

import { Project } from './project.ts';

let instance: Instance;

before(async () => {
  instance = await openInstance();
  // The reaper is an image of a registry that tests do without.
  const settings = { ...instance.dockerEnv(), TESTCONTAINERS_RYUK_DISABLED: 'true' };
  Object.assign(process.env, settings, { PATH: [dirname(toolPath('docker')), process.env['PATH']].join(delimiter) });
});
after(async () => instance?.destroy());

const server = ['sh', '-c', 'echo page > /index.html; echo listening; exec httpd -f -p 8080 -h /'];

test('a container is ready when its port answers, and serves', async () => {
  await using container = await new GenericContainer('busybox').withCommand(server).withExposedPorts(8080).start();
  const url = `http://${container.getHost()}:${String(container.getMappedPort(8080))}/`;
  assert.equal(await (await fetch(url)).text(), 'page\n');
  const { exitCode, output } = await container.exec(['sh', '-c', 'cat /index.html; exit 3']);
  assert.deepEqual([exitCode, output], [3, 'page\n']);
  await container.restart({ timeout: 0 });
  assert.equal((await container.exec(['true'])).exitCode, 0);
});

test('a container is ready by its log, by its health, or by a command', async () => {
  const base = (): GenericContainer => new GenericContainer('busybox').withCommand(server).withExposedPorts(8080);
  const strategies = [
    base().withWaitStrategy(Wait.forLogMessage('listening')),
    base().withWaitStrategy(Wait.forHttp('/', 8080)),
    base().withWaitStrategy(Wait.forSuccessfulCommand('test -e /index.html')),
    base()
      .withHealthCheck({ test: ['CMD', 'test', '-e', '/index.html'], interval: 100, retries: 50 })
      .withWaitStrategy(Wait.forHealthCheck()),
    new GenericContainer('busybox').withCommand(['true']).withWaitStrategy(Wait.forOneShotStartup()),
  ];
  for (const definition of strategies) {
    const container = await definition.start();
    await container.stop({ timeout: 0 });
  }
  const late = base().withWaitStrategy(Wait.forLogMessage('never said').withStartupTimeout(1));
  await assert.rejects(late.start(), /not received after 1ms/);
});

test('containers share a network, files and an image that is built for them', async (t) => {
  await using network = await new Network().start();
  await using named = await new GenericContainer('busybox')
    .withCommand(server)
    .withNetwork(network)
    .withNetworkAliases('page-server')
    .withCopyContentToContainer([{ content: 'copied', target: '/copied' }])
    .withTmpFs({ '/scratch': 'size=1m' })
    .withEnvironment({ MODE: 'test' })
    .withWaitStrategy(Wait.forLogMessage('listening'))
    .start();
  const folder = tempFolder(t);
  writeFileSync(join(folder, 'Dockerfile'), 'FROM busybox\nARG WORD\nRUN echo $WORD > /word\nCMD ["sleep", "3600"]\n');
  const image = await GenericContainer.fromDockerfile(folder).withBuildArgs({ WORD: 'built' }).build();
  await using other = await image.withNetwork(network).start();
  const said = async (container: typeof named, script: string): Promise<string> =>
    (await container.exec(['sh', '-c', script])).output.trim();
  assert.equal(await said(other, 'cat /word; wget -q -O - http://page-server:8080/copied'), 'built\ncopied');
  assert.equal(await said(named, 'echo $MODE; df /scratch | tail -1 | tr -s " " | cut -d " " -f 2'), 'test\n1024');
});

test('an environment is a compose file', async () => {
  const text = `
services:
  web:
    image: busybox
    command: ["sh", "-c", "echo page > /index.html; echo listening; exec httpd -f -p 8080 -h /"]
    ports: ["8080"]
    stop_grace_period: 0s
`;
  await using project = new Project(instance, { 'compose.yaml': text });
  const environment = await new DockerComposeEnvironment(project.folder, 'compose.yaml')
    .withWaitStrategy('web-1', Wait.forLogMessage('listening'))
    .up();
  const web = environment.getContainer('web-1');
  const url = `http://${web.getHost()}:${String(web.getMappedPort(8080))}/`;
  assert.equal(await (await fetch(url)).text(), 'page\n');
  await environment.down({ timeout: 0 });
  assert.equal(await instance.dockerOutput('ps', '--quiet'), '');
});
