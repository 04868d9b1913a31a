import { after, before } from 'node:test';

import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { testCommands } from './command-case.ts';

let instance: Instance;
const places = new Map<string, string>();

before(async () => {
  instance = await openInstance();
  places.set('SOCKET', `unix://${instance.paths.dockerSocket}`);
  await instance.dockerOutput('run', '-d', '--init', '--name', 'peer', 'busybox', 'sleep', '3600');
  await instance.dockerOutput('run', '-d', '--init', '--name', 'web', 'busybox', 'sleep', '3600');
  await instance.dockerOutput('network', 'create', '--subnet', '10.221.0.0/24', 'one');
  await instance.dockerOutput('network', 'create', '--subnet', '10.222.0.0/24', 'two');
  await instance.dockerOutput('network', 'create', '--subnet', '10.223.0.0/24', 'three');
  await instance.dockerOutput('network', 'create', '--subnet', '10.224.0.0/24', 'four');
});
after(async () => instance?.destroy());

const address = (command: string, ...args: readonly string[]): readonly string[] => [command, ...args];
const started = ['start', '--attach', 'made'];

testCommands(
  () => instance,
  [
    {
      proves: 'docker run --mac-address',
      run: ['run', '--rm', '--mac-address', '02:00:00:00:00:21', 'busybox', 'ip', 'link'],
      shows: /02:00:00:00:00:21/,
    },
    {
      proves: 'docker create --mac-address',
      run: [
        address('create', '--name', 'made', '--mac-address', '02:00:00:00:00:22', 'busybox', 'ip', 'link'),
        started,
      ],
      shows: /02:00:00:00:00:22/,
    },
    {
      proves: 'docker run --link',
      run: ['run', '--rm', '--link', 'peer:db', 'busybox', 'cat', '/etc/hosts'],
      shows: /\bdb\b/,
    },
    {
      proves: 'docker create --link',
      run: [
        address('create', '--name', 'linked', '--link', 'peer:db', 'busybox', 'cat', '/etc/hosts'),
        ['start', '--attach', 'linked'],
      ],
      shows: /\bdb\b/,
    },
    {
      proves: 'docker run --link-local-ip',
      run: ['run', '--rm', '--network', 'one', '--link-local-ip', '169.254.1.2', 'busybox', 'ip', 'addr'],
      shows: /169\.254\.1\.2/,
    },
    {
      proves: 'docker create --link-local-ip',
      run: [
        address(
          'create',
          '--name',
          'local',
          '--network',
          'one',
          '--link-local-ip',
          '169.254.1.3',
          'busybox',
          'ip',
          'addr',
        ),
        ['start', '--attach', 'local'],
      ],
      shows: /169\.254\.1\.3/,
    },
    { refuses: 'docker rm --link', run: 'rm --link linked/db', sentence: 'Cannot remove a link' },

    {
      proves: 'docker network connect --driver-opt',
      run: [
        [
          'network',
          'connect',
          '--driver-opt',
          'com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.log_martians=1',
          'one',
          'web',
        ],
        ['exec', 'web', 'cat', '/proc/sys/net/ipv4/conf/eth1/log_martians'],
      ],
      shows: /^1$/m,
    },
    {
      proves: 'docker network connect --gw-priority',
      run: [
        ['network', 'connect', '--gw-priority', '10', 'two', 'web'],
        ['exec', 'web', 'ip', 'route'],
      ],
      shows: /^default via 10\.222\.0\.1 /m,
    },
    {
      proves: 'docker network connect --link-local-ip',
      run: [
        ['network', 'connect', '--link-local-ip', '169.254.1.4', 'three', 'web'],
        ['exec', 'web', 'ip', 'addr'],
      ],
      shows: /169\.254\.1\.4/,
    },
    {
      proves: 'docker network connect --link',
      run: [
        ['network', 'connect', 'four', 'peer'],
        ['network', 'connect', '--link', 'peer:db', 'four', 'web'],
        ['exec', 'web', 'nslookup', 'db.'],
      ],
      shows: /10\.224\.0\./,
    },
    {
      proves: 'docker network create --ipv4',
      run: [
        ['network', 'create', '--ipv4=false', '--ipv6', '--subnet', 'fd00:225::/64', 'six'],
        ['network', 'inspect', '--format', '{{.EnableIPv4}}', 'six'],
      ],
      shows: /^false$/m,
    },
    {
      proves: 'docker network create --ipam-driver',
      run: 'network create --ipam-driver default managed',
      shows: /^[0-9a-f]{64}$/m,
    },
    {
      refuses: 'docker network create --ipam-opt',
      run: 'network create --ipam-opt a=b x',
      sentence: 'IPAM options is not supported',
    },
    {
      refuses: 'docker network create --config-only',
      run: 'network create --config-only x',
      sentence: 'configuration networks is not supported',
    },
    {
      refuses: 'docker network create --config-from',
      run: 'network create --config-from one x',
      sentence: 'configuration networks is not supported',
    },
    {
      inapplicable: 'docker network create --ingress',
      run: 'network create --ingress x',
      sentence: 'Ingress network can only be global scope network',
    },
    { proves: 'docker network create --scope', run: 'network create --scope local scoped', shows: /^[0-9a-f]{64}$/m },
    {
      proves: 'docker network create --attachable',
      run: [
        ['network', 'create', '--attachable', 'open'],
        ['network', 'inspect', '--format', '{{.Attachable}}', 'open'],
      ],
      shows: /^true$/m,
    },

    {
      inapplicable:
        'docker volume create --{type,group,availability,limit-bytes,required-bytes,scope,secret,sharing,topology-preferred,topology-required}',
      because: 'only volumes of a cluster have it',
      run: 'volume create --type block --group g --availability active --limit-bytes 1g --required-bytes 1m --scope single --sharing none --secret a=b --topology-preferred a=b --topology-required a=b x',
      sentence: 'swarm',
    },
    {
      inapplicable: 'docker volume ls --cluster',
      because: 'there are no volumes of a cluster',
      run: 'volume ls --cluster',
      shows: /VOLUME NAME/,
    },

    { proves: 'docker --host', run: '--host SOCKET version', shows: /Server: Slipway/ },
    {
      proves: 'docker --context',
      run: [
        ['context', 'create', 'mine', '--docker', 'host=SOCKET'],
        ['--context', 'mine', 'version'],
      ],
      shows: /Server: Slipway/,
    },
    {
      inapplicable: 'docker --{tls,tlsverify}',
      because: 'the API listens on a unix socket only, where the client uses no TLS',
      run: '--tls --tlsverify version',
      sentence: 'unable to resolve docker endpoint',
    },
    {
      inapplicable: 'docker --{tlscacert,tlscert,tlskey}',
      because: 'the API listens on a unix socket only, where the client uses no TLS',
      run: '--tlscacert /nonexistent --tlscert /nonexistent --tlskey /nonexistent version',
      shows: /Server: Slipway/,
    },
  ],
  places,
);
