import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';

import { formatVersion, maximumApiVersion } from '#docker/http/api-version.ts';

import { busyboxTar } from '../../kit/busybox-image.ts';
import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { testCommands } from './command-case.ts';

let instance: Instance;
const folder = `/tmp/slipway-objects-${String(process.pid)}`;
const root = join(folder, 'root.tar');
const saved = join(folder, 'saved.tar');

before(async () => {
  mkdirSync(folder);
  const chunks = [];
  for await (const chunk of busyboxTar()) chunks.push(chunk);
  writeFileSync(root, Buffer.concat(chunks));
  instance = await openInstance();
});
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  await instance?.destroy();
});

const inspect = (template: string, name: string): readonly string[] => ['inspect', '--format', template, name];
const newest = formatVersion(maximumApiVersion);
const platform = `linux/${process.arch === 'x64' ? 'amd64' : 'arm64'}`;

testCommands(
  () => instance,
  [
    { proves: 'docker images', run: 'images', shows: /^busybox\s+latest\s+[0-9a-f]{12}/m },
    { proves: 'docker images --all', run: ['images', '--all', '--format', '{{.Repository}}'], shows: /^busybox$/m },
    { proves: 'docker images --digests', run: 'images --digests', shows: /DIGEST/ },
    { proves: 'docker images --filter', run: 'images --filter reference=nothing --quiet', shows: /^$/ },
    {
      proves: 'docker images --format',
      run: ['images', '--format', '{{.Repository}}:{{.Tag}}'],
      shows: /^busybox:latest$/m,
    },
    { proves: 'docker images --no-trunc', run: 'images --no-trunc --quiet', shows: /^sha256:[0-9a-f]{64}$/m },
    { proves: 'docker images --quiet', run: 'images --quiet', shows: /^[0-9a-f]{12}$/m },
    { proves: 'docker image inspect', run: 'image inspect busybox', shows: /"RepoTags": \[\s+"busybox:latest"/ },
    { proves: 'docker image inspect --format', run: 'image inspect --format {{.Os}} busybox', shows: /^linux$/m },
    { proves: 'docker history', run: 'history busybox', shows: /IMAGE\s+CREATED/ },
    { proves: 'docker history --format', run: 'history --format {{.Size}} busybox', shows: /^[\d.]+\s?MB$/m },
    { proves: 'docker history --human', run: 'history --human=false --format {{.Size}} busybox', shows: /^\d{6,}$/m },
    { proves: 'docker history --no-trunc', run: 'history --no-trunc --quiet busybox', shows: /^sha256:[0-9a-f]{64}$/m },
    { proves: 'docker history --quiet', run: 'history --quiet busybox', shows: /^[0-9a-f]{12}$/m },
    { proves: 'docker import', run: ['import', root, 'imported'], shows: /^sha256:[0-9a-f]{64}$/m },
    {
      proves: 'docker import --change',
      run: [['import', '--change', 'ENV A=b', root, 'changed'], inspect('{{.Config.Env}}', 'changed')],
      shows: /A=b/,
    },
    {
      proves: 'docker import --message',
      run: [
        ['import', '--message', 'why', root, 'said'],
        ['history', '--format', '{{.Comment}}', 'said'],
      ],
      shows: /^why$/m,
    },
    {
      proves: 'docker import --platform',
      run: [['import', '--platform', platform, root, 'placed'], inspect('{{.Os}}/{{.Architecture}}', 'placed')],
      shows: /^linux\/(amd64|arm64)$/m,
    },
    {
      proves: 'docker tag',
      run: [['tag', 'busybox', 'again:1'], inspect('{{.RepoTags}}', 'busybox')],
      shows: /again:1/,
    },
    { proves: 'docker save', run: 'save busybox', shows: /manifest\.json/ },
    {
      proves: 'docker save --output',
      run: [
        ['save', '--output', saved, 'busybox', 'again:1'],
        ['load', '--input', saved],
      ],
      shows: /Loaded image: again:1/,
    },
    { proves: 'docker load', run: [['load', '--input', saved]], shows: /Loaded image: busybox:latest/ },
    { proves: 'docker load --input', run: ['load', '--input', saved], shows: /Loaded image/ },
    { proves: 'docker load --quiet', run: ['load', '--quiet', '--input', saved], shows: /^Loaded image/ },
    { proves: 'docker rmi', run: 'rmi again:1', shows: /^Untagged: again:1$/m },
    { proves: 'docker rmi --force', run: 'rmi --force imported', shows: /^Untagged: imported:latest$/m },
    { proves: 'docker rmi --no-prune', run: 'rmi --no-prune placed', shows: /^Untagged: placed:latest$/m },
    { proves: 'docker image prune', run: 'image prune --force', shows: /Total reclaimed space/ },
    { proves: 'docker image prune --force', run: 'image prune --force', shows: /Total reclaimed space/ },
    {
      proves: 'docker image prune --filter',
      run: 'image prune --force --all --filter label=none',
      shows: /Total reclaimed space: 0B/,
    },
    {
      proves: 'docker image prune --all',
      run: [
        ['tag', 'busybox', 'kept'],
        ['run', '--name', 'user', 'kept', 'true'],
        ['image', 'prune', '--force', '--all'],
        ['images', '--format', '{{.Repository}}'],
      ],
      shows: /^kept$/m,
    },

    {
      proves: 'docker network create',
      run: [
        ['network', 'create', 'plain'],
        ['network', 'inspect', '--format', '{{.Driver}}', 'plain'],
      ],
      shows: /^bridge$/m,
    },
    {
      proves: 'docker network create --driver',
      run: 'network create --driver bridge driven',
      shows: /^[0-9a-f]{64}$/m,
    },
    {
      proves: 'docker network create --label',
      run: [
        ['network', 'create', '--label', 'a=b', 'labelled'],
        ['network', 'inspect', '--format', '{{.Labels}}', 'labelled'],
      ],
      shows: /^map\[a:b\]$/m,
    },
    {
      proves: 'docker network create --internal',
      run: [
        ['network', 'create', '--internal', 'inner'],
        ['network', 'inspect', '--format', '{{.Internal}}', 'inner'],
      ],
      shows: /^true$/m,
    },
    {
      proves: 'docker network create --subnet',
      run: [
        [
          'network',
          'create',
          '--subnet',
          '10.211.0.0/24',
          '--gateway',
          '10.211.0.9',
          '--ip-range',
          '10.211.0.128/25',
          '--aux-address',
          'printer=10.211.0.130',
          'planned',
        ],
        ['network', 'inspect', '--format', '{{json .IPAM.Config}}', 'planned'],
      ],
      shows: /"Subnet":"10\.211\.0\.0\/24"/,
    },
    {
      proves: 'docker network create --gateway',
      run: [
        ['network', 'create', '--subnet', '10.212.0.0/24', '--gateway', '10.212.0.9', 'gated'],
        ['network', 'inspect', '--format', '{{json .IPAM.Config}}', 'gated'],
      ],
      shows: /"Gateway":"10\.212\.0\.9"/,
    },
    {
      proves: 'docker network create --ip-range',
      run: [
        ['network', 'create', '--subnet', '10.213.0.0/24', '--ip-range', '10.213.0.128/25', 'ranged'],
        ['run', '--rm', '--network', 'ranged', 'busybox', 'ip', 'addr'],
      ],
      shows: /10\.213\.0\.1[2-9]\d/,
    },
    {
      proves: 'docker network create --aux-address',
      run: [
        ['network', 'create', '--subnet', '10.214.0.0/24', '--aux-address', 'printer=10.214.0.2', 'taken'],
        ['run', '--rm', '--network', 'taken', 'busybox', 'ip', 'addr'],
      ],
      shows: /10\.214\.0\.3\//,
    },
    {
      proves: 'docker network create --ipv6',
      run: [
        ['network', 'create', '--ipv6', '--subnet', 'fd00:211::/64', '--subnet', '10.215.0.0/24', 'double'],
        ['run', '--rm', '--network', 'double', 'busybox', 'ip', 'addr'],
      ],
      shows: /fd00:211::/,
    },
    {
      proves: 'docker network create --opt',
      run: [
        ['network', 'create', '--opt', 'com.docker.network.driver.mtu=1400', 'narrow'],
        ['run', '--rm', '--network', 'narrow', 'busybox', 'ip', 'link'],
      ],
      shows: /mtu 1400/,
    },
    {
      proves: 'docker {run,create} --ip',
      run: [
        ['create', '--network', 'planned', '--ip', '10.211.0.21', 'busybox'],
        ['run', '--rm', '--network', 'planned', '--ip', '10.211.0.21', 'busybox', 'ip', 'addr'],
      ],
      shows: /10\.211\.0\.21\//,
    },
    {
      proves: 'docker {run,create} --ip6',
      run: [
        ['create', '--network', 'double', '--ip6', 'fd00:211::21', 'busybox'],
        ['run', '--rm', '--network', 'double', '--ip6', 'fd00:211::21', 'busybox', 'ip', 'addr'],
      ],
      shows: /fd00:211::21\//,
    },
    {
      proves: 'docker {run,create} --network-alias',
      run: [
        ['create', '--network', 'planned', '--network-alias', 'nick', 'busybox'],
        ['run', '--rm', '--network', 'planned', '--network-alias', 'nick', 'busybox', 'nslookup', 'nick.'],
      ],
      shows: /10\.211\.0\./,
    },
    { proves: 'docker network ls', run: 'network ls', shows: /\bplanned\s+bridge\s+local/ },
    {
      proves: 'docker network ls --filter',
      run: ['network', 'ls', '--filter', 'label=a=b', '--format', '{{.Name}}'],
      shows: /^labelled\n$/,
    },
    { proves: 'docker network ls --format', run: ['network', 'ls', '--format', '{{.Name}}'], shows: /^host$/m },
    { proves: 'docker network ls --no-trunc', run: 'network ls --no-trunc --quiet', shows: /^[0-9a-f]{64}$/m },
    { proves: 'docker network ls --quiet', run: 'network ls --quiet', shows: /^[0-9a-f]{12}$/m },
    { proves: 'docker network inspect', run: 'network inspect plain', shows: /"Name": "plain"/ },
    { proves: 'docker network inspect --format', run: 'network inspect --format {{.Scope}} plain', shows: /^local$/m },
    { proves: 'docker network inspect --verbose', run: 'network inspect --verbose plain', shows: /"Name": "plain"/ },
    {
      proves: 'docker network connect',
      run: [
        ['run', '-d', '--init', '--name', 'web', 'busybox', 'sleep', '3600'],
        ['network', 'connect', 'plain', 'web'],
        ['exec', 'web', 'ls', '/sys/class/net'],
      ],
      shows: /eth1/,
    },
    {
      proves: 'docker network connect --alias',
      run: [
        ['network', 'connect', '--alias', 'nick', 'gated', 'web'],
        inspect('{{.NetworkSettings.Networks.gated.Aliases}}', 'web'),
      ],
      shows: /nick/,
    },
    {
      proves: 'docker network connect --ip',
      run: [
        ['network', 'connect', '--ip', '10.214.0.77', 'taken', 'web'],
        ['exec', 'web', 'ip', 'addr'],
      ],
      shows: /10\.214\.0\.77\//,
    },
    {
      proves: 'docker network connect --ip6',
      run: [
        ['network', 'connect', '--ip6', 'fd00:211::77', 'double', 'web'],
        ['exec', 'web', 'ip', 'addr'],
      ],
      shows: /fd00:211::77\//,
    },
    {
      proves: 'docker network disconnect',
      run: [['network', 'disconnect', 'plain', 'web'], inspect('{{json .NetworkSettings.Networks}}', 'web')],
      shows: /^(?!.*"plain")/,
    },
    {
      proves: 'docker network disconnect --force',
      run: [['network', 'disconnect', '--force', 'gated', 'web'], inspect('{{json .NetworkSettings.Networks}}', 'web')],
      shows: /^(?!.*"gated")/,
    },
    { proves: 'docker network rm', run: 'network rm plain', shows: /^plain$/m },
    { proves: 'docker network rm --force', run: 'network rm --force absent' },
    { proves: 'docker network prune', run: 'network prune --force', shows: /Deleted Networks:\n[^]*labelled/ },
    { proves: 'docker network prune --force', run: 'network prune --force', shows: /^$/ },
    {
      proves: 'docker network prune --filter',
      run: [
        ['network', 'create', 'young'],
        ['network', 'prune', '--force', '--filter', 'until=24h'],
        ['network', 'ls', '--format', '{{.Name}}'],
      ],
      shows: /^young$/m,
    },

    { proves: 'docker volume create', run: 'volume create plain', shows: /^plain$/m },
    { proves: 'docker volume create --driver', run: 'volume create --driver local driven', shows: /^driven$/m },
    {
      proves: 'docker volume create --label',
      run: [
        ['volume', 'create', '--label', 'a=b', 'labelled'],
        ['volume', 'inspect', '--format', '{{.Labels}}', 'labelled'],
      ],
      shows: /a:b/,
    },
    {
      proves: 'docker volume create --opt',
      run: [
        ['volume', 'create', '--opt', 'type=tmpfs', '--opt', 'device=tmpfs', '--opt', 'o=size=1m', 'memory'],
        ['run', '--rm', '-v', 'memory:/m', 'busybox', 'df', '/m'],
      ],
      shows: /\s1024\s/,
    },
    { proves: 'docker volume inspect', run: 'volume inspect plain', shows: /"Name": "plain"/ },
    { proves: 'docker volume inspect --format', run: 'volume inspect --format {{.Driver}} plain', shows: /^local$/m },
    { proves: 'docker volume ls', run: 'volume ls', shows: /^local\s+plain$/m },
    { proves: 'docker volume ls --filter', run: 'volume ls --quiet --filter label=a=b', shows: /^labelled\n$/ },
    { proves: 'docker volume ls --format', run: 'volume ls --format {{.Name}}', shows: /^plain$/m },
    { proves: 'docker volume ls --quiet', run: 'volume ls --quiet', shows: /^plain$/m },
    { proves: 'docker volume rm', run: 'volume rm plain', shows: /^plain$/m },
    { proves: 'docker volume rm --force', run: 'volume rm --force absent', shows: /^absent$/m },
    { proves: 'docker volume prune --filter', run: 'volume prune --force --all --filter label!=a', shows: /driven/ },
    { proves: 'docker volume prune --all', run: 'volume prune --force --all', shows: /labelled/ },
    {
      proves: 'docker volume prune',
      sinceClient: 23,
      run: [
        ['run', '--rm=false', '-v', '/data', '--name', 'holder', 'busybox'],
        ['rm', 'holder'],
        ['volume', 'prune', '--force'],
      ],
      shows: /Deleted Volumes:\n[0-9a-f]{64}/,
    },
    { proves: 'docker volume prune --force', run: 'volume prune --force', shows: /Total reclaimed space: 0B/ },

    { proves: 'docker system df', run: 'system df', shows: /Images\s+\d[^]*Build Cache/ },
    { proves: 'docker system df --format', run: ['system', 'df', '--format', '{{.Type}}'], shows: /^Containers$/m },
    { proves: 'docker system df --verbose', run: 'system df --verbose', shows: /Images space usage:[^]*busybox/ },
    { proves: 'docker system prune', run: 'system prune --force', shows: /Deleted Containers:/ },
    { proves: 'docker system prune --force', run: 'system prune --force', shows: /Total reclaimed space/ },
    {
      proves: 'docker system prune --volumes',
      run: [
        ['run', '-v', '/data', '--name', 'holder', 'busybox'],
        ['rm', 'holder'],
        ['system', 'prune', '--force', '--volumes'],
      ],
      shows: /Deleted Volumes:/,
    },
    {
      proves: 'docker system prune --all',
      run: [['system', 'prune', '--force', '--all']],
      shows: /Total reclaimed space/,
    },
    { proves: 'docker builder prune', run: 'builder prune --force', shows: /Total reclaimed space|Total:/ },
    { proves: 'docker builder prune --force', run: 'builder prune --force', shows: /Total reclaimed space|Total:/ },
    { proves: 'docker builder prune --all', run: 'builder prune --force --all', shows: /Total reclaimed space|Total:/ },
    {
      proves: 'docker version',
      run: 'version',
      shows: new RegExp(`Server:[^]*API version: +${newest} [(]minimum version 1.24[)]`),
    },
    {
      proves: 'docker version --format',
      run: ['version', '--format', '{{.Server.APIVersion}}'],
      shows: new RegExp(`^${newest}$`, 'm'),
    },
    { proves: 'docker info', run: 'info', shows: /Server:[^]*Containers: \d/ },
    { proves: 'docker info --format', run: 'info --format {{.OSType}}', shows: /^linux$/m },
  ],
);
