import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';

import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { testCommands } from './command-case.ts';

let instance: Instance;
const folder = `/tmp/slipway-client-${String(process.pid)}`;
const composeFile = join(folder, 'compose.yaml');
const exported = join(folder, 'exported');

before(async () => {
  mkdirSync(join(folder, 'plugin/rootfs'), { recursive: true });
  writeFileSync(join(folder, 'plugin/config.json'), '{}');
  writeFileSync(composeFile, 'version: "3.8"\nservices:\n  one:\n    image: busybox\n    command: echo $$TAG\n');
  instance = await openInstance();
});
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  await instance?.destroy();
});

const noManager = 'node is not a swarm manager';
const noPlugins = 'Cannot use plugins: this daemon has none';
const lines = (...texts: readonly string[]): readonly (readonly string[])[] => texts.map((text) => text.split(' '));

testCommands(
  () => instance,
  [
    {
      inapplicable: 'docker swarm init',
      run: 'swarm init',
      sentence: 'Cannot form a swarm: this daemon runs containers on one machine',
    },
    {
      inapplicable: 'docker swarm join',
      run: 'swarm join --token t localhost:1',
      sentence: 'Cannot form a swarm: this daemon runs containers on one machine',
    },
    {
      inapplicable: 'docker swarm *',
      run: lines('swarm ca', 'swarm join-token worker', 'swarm leave', 'swarm unlock-key', 'swarm update --autolock'),
      sentence: noManager,
    },
    { inapplicable: 'docker swarm unlock', run: 'swarm unlock', sentence: 'This node is not part of a swarm' },
    { inapplicable: 'docker swarm init *', run: 'swarm init --autolock', sentence: 'Cannot form a swarm' },
    { inapplicable: 'docker swarm join *', run: 'swarm join --token t localhost:1', sentence: 'Cannot form a swarm' },
    {
      inapplicable: 'docker node *',
      run: lines(
        'node ls',
        'node inspect x',
        'node demote x',
        'node promote x',
        'node ps x',
        'node rm x',
        'node update x',
      ),
      sentence: noManager,
    },
    {
      inapplicable: 'docker service *',
      run: lines(
        'service create busybox',
        'service inspect x',
        'service logs x',
        'service ls',
        'service ps x',
        'service rm x',
        'service rollback x',
        'service scale x=1',
        'service update x',
      ),
      sentence: noManager,
    },
    {
      inapplicable: 'docker secret *',
      run: lines(`secret create x ${composeFile}`, 'secret inspect x', 'secret ls', 'secret rm x'),
      sentence: noManager,
    },
    {
      inapplicable: 'docker config *',
      run: lines(`config create x ${composeFile}`, 'config inspect x', 'config ls', 'config rm x'),
      sentence: noManager,
    },
    {
      inapplicable: 'docker stack *',
      run: lines(`stack deploy -c ${composeFile} x`, 'stack ls', 'stack ps x', 'stack rm x', 'stack services x'),
      sentence: noManager,
    },
    { proves: 'docker stack config', run: ['stack', 'config', '-c', composeFile], shows: /image: busybox/ },
    {
      proves: 'docker stack config --compose-file',
      run: ['stack', 'config', '--compose-file', composeFile],
      shows: /image: busybox/,
    },
    {
      proves: 'docker stack config --skip-interpolation',
      run: ['stack', 'config', '--skip-interpolation', '-c', composeFile],
      shows: /\$\$TAG/,
    },
    { proves: 'docker plugin ls', run: 'plugin ls', shows: /^ID\s+NAME/ },
    { proves: 'docker plugin ls --filter', run: 'plugin ls --filter enabled=true', shows: /^ID\s+NAME/ },
    { proves: 'docker plugin ls --format', run: 'plugin ls --format {{.Name}}', shows: /^$/ },
    { proves: 'docker plugin ls --no-trunc', run: 'plugin ls --no-trunc', shows: /^ID\s+NAME/ },
    { proves: 'docker plugin ls --quiet', run: 'plugin ls --quiet', shows: /^$/ },
    {
      inapplicable: 'docker plugin inspect',
      run: 'plugin inspect x',
      sinceClient: 23,
      sentence: 'plugin "x" not found',
    },
    {
      inapplicable: 'docker plugin inspect --format',
      run: 'plugin inspect --format {{.Name}} x',
      sinceClient: 23,
      sentence: 'plugin "x" not found',
    },
    {
      inapplicable: 'docker plugin *',
      run: lines(
        `plugin create x ${folder}/plugin`,
        'plugin disable x',
        'plugin enable x',
        'plugin install --grant-all-permissions x',
        'plugin rm x',
        'plugin set x A=b',
      ),
      sentence: noPlugins,
    },
    {
      inapplicable: 'docker plugin upgrade *',
      run: 'plugin upgrade x',
      sinceClient: 23,
      sentence: 'plugin "x" not found',
    },
    {
      inapplicable: 'docker volume update',
      because: 'only volumes of a cluster are updated',
      run: 'volume update x --availability drain',
      sentence: 'no such volume',
    },
    {
      inapplicable: 'docker volume update --availability',
      because: 'only volumes of a cluster are updated',
      run: 'volume update x --availability drain',
      sentence: 'no such volume',
    },
    {
      inapplicable: 'docker trust *',
      because: 'the client speaks with a notary server; the daemon is not asked',
      run: 'trust --help',
      shows: /Manage trust on Docker images/,
    },

    { proves: 'docker context create', run: ['context', 'create', 'plain'], shows: /plain/ },
    {
      proves: 'docker context create --docker',
      run: ['context', 'create', 'other', '--docker', 'host=unix:///nonexistent.sock'],
      shows: /other/,
    },
    {
      proves: 'docker context create --description',
      run: [
        ['context', 'create', 'said', '--description', 'why'],
        ['context', 'inspect', 'said'],
      ],
      shows: /"Description": "why"/,
    },
    {
      proves: 'docker context create --from',
      run: ['context', 'create', 'copied', '--from', 'other'],
      shows: /copied/,
    },
    { proves: 'docker context ls', run: 'context ls', shows: /\bother\b/ },
    { proves: 'docker context ls --format', run: 'context ls --format {{.Name}}', shows: /^other$/m },
    { proves: 'docker context ls --quiet', run: 'context ls --quiet', shows: /^other$/m },
    { proves: 'docker context inspect', run: 'context inspect other', shows: /nonexistent\.sock/ },
    { proves: 'docker context inspect --format', run: 'context inspect --format {{.Name}} other', shows: /^other$/m },
    { proves: 'docker context update', run: 'context update other --description new', shows: /other/ },
    {
      proves: 'docker context update --description',
      run: [
        ['context', 'update', 'other', '--description', 'newer'],
        ['context', 'inspect', 'other'],
      ],
      shows: /"Description": "newer"/,
    },
    {
      proves: 'docker context update --docker',
      run: [
        ['context', 'update', 'other', '--docker', 'host=unix:///changed.sock'],
        ['context', 'inspect', 'other'],
      ],
      shows: /changed\.sock/,
    },
    { proves: 'docker context export', run: ['context', 'export', 'other', exported], shows: /exported/ },
    { proves: 'docker context import', run: ['context', 'import', 'imported', exported], shows: /imported/ },
    { proves: 'docker context use', run: 'context use other', shows: /other/ },
    { proves: 'docker context show', run: 'context show', sinceClient: 23, shows: /other|default/ },
    { proves: 'docker context rm --force', run: 'context rm --force other', shows: /other/ },
    { proves: 'docker context rm', run: 'context rm imported', shows: /imported/ },

    { proves: 'docker', run: '--help', shows: /A self-sufficient runtime for containers/ },
    { proves: 'docker --version', run: '--version', shows: /^Docker version \d/ },
    { proves: 'docker --debug', run: '--debug version', shows: /Server:/ },
    { proves: 'docker --log-level', run: '--log-level debug version', shows: /Server:/ },
    { proves: 'docker --config', run: ['--config', folder, 'version'], shows: /Server:/ },
  ],
);
