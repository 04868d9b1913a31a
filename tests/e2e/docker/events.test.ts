import assert from 'node:assert/strict';
import { get } from 'node:http';
import { after, before, test } from 'node:test';

import { eventually } from '../../kit/eventually.ts';
import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { proves } from '../../kit/proves.ts';
import { nowText } from './now-text.ts';
import { Session } from './session.ts';

let instance: Instance;

before(async () => {
  instance = await openInstance();
});
after(async () => instance?.destroy());

/** What happened so far and passes the filters, one line each. */
async function past(format: string, ...filters: readonly string[]): Promise<readonly string[]> {
  const options = filters.flatMap((filter) => ['--filter', filter]);
  const text = await instance.dockerOutput(
    'events',
    '--since',
    '0.001',
    '--until',
    nowText(),
    ...options,
    '--format',
    format,
  );
  return text === '' ? [] : text.split('\n');
}

const proof = proves(
  'GET /events',
  'docker events',
  'docker events --since',
  'docker events --until',
  'docker events --filter',
  'docker events --format',
);

test(
  'events are replayed by --since, --until and each --filter, in the --format that is asked for',
  proof,
  async () => {
    await instance.dockerOutput('volume', 'create', 'data');
    await instance.dockerOutput('network', 'create', 'lan');
    const flags = ['--network', 'lan', '-v', 'data:/data:ro', '--label', 'team=blue', '--name', 'one'];
    const id = await instance.dockerOutput('run', '-d', ...flags, 'busybox', 'sleep', '1000');
    await instance.dockerOutput('run', '--rm', '--name', 'two', 'busybox', 'true');
    await instance.dockerOutput('rm', '-f', 'one');
    const action = '{{.Action}}';
    assert.deepEqual(await past(action, 'container=one'), ['create', 'start', 'kill', 'die', 'destroy']);
    assert.deepEqual(await past(action, `container=${id.slice(0, 12)}`, 'event=die'), ['die']);
    assert.deepEqual(await past(action, 'label=team=blue', 'event=start'), ['start']);
    assert.deepEqual(await past(action, 'label=team=red'), []);
    assert.deepEqual(await past('{{.Actor.Attributes.name}}', 'image=busybox', 'event=start'), ['one', 'two']);
    assert.deepEqual(await past(`${action} {{.Actor.Attributes.name}}`, 'network=lan', 'event=create'), ['create lan']);
    assert.deepEqual(await past(action, 'type=network', 'network=lan', 'event=connect', 'event=disconnect'), [
      'connect',
      'disconnect',
    ]);
    assert.deepEqual(await past(action, 'scope=swarm'), []);
    assert.ok((await past(action, 'scope=local', 'type=image')).length > 0);

    const volume = await past('{{json .}}', 'volume=data');
    const told = volume.map((line) => JSON.parse(line) as { Action: string; Actor: { Attributes: object } });
    assert.deepEqual(
      told.map(({ Action }) => Action),
      ['create', 'mount', 'unmount'],
    );
    const [, mount, unmount] = told.map(({ Actor }) => Actor.Attributes);
    assert.deepEqual(mount, {
      driver: 'local',
      container: id,
      destination: '/data',
      propagation: '',
      'read/write': 'false',
    });
    assert.deepEqual(unmount, { driver: 'local', container: id });
  },
);

test('events come as they happen, until the time that --until names', async () => {
  await using watcher = Session.docker(
    instance,
    'events',
    '--filter',
    'type=volume',
    '--format',
    '{{.Action}} {{.ID}}',
  );
  await eventually('it listens', async () => {
    await instance.dockerOutput('volume', 'create', 'probe');
    await instance.dockerOutput('volume', 'rm', 'probe');
    return watcher.output.includes('destroy');
  });
  const ended = await instance.docker('events', '--since', '0s', '--until', '1s', '--filter', 'type=plugin');
  assert.deepEqual([ended.code, ended.stdout], [0, '']);
});

test('stats count what the quota took and what went to the disk', proves('GET /containers/{id}/stats'), async () => {
  const busy = 'dd if=/dev/zero of=/file bs=65536 count=64 conv=fsync 2>/dev/null; while :; do :; done';
  await instance.dockerOutput('run', '-d', '--name', 'busy', '--cpus', '0.1', 'busybox', 'sh', '-c', busy);
  await eventually('it is held back and has written', async () => {
    const { cpu_stats: cpu, blkio_stats: block } = await stats('busy');
    const { periods, throttled_periods: throttled, throttled_time: waited } = cpu.throttling_data;
    const sum = (entries: readonly BlockEntry[] | null): number =>
      (entries ?? []).reduce((total, { op, value }) => total + (op.toLowerCase() === 'write' ? value : 0), 0);
    const written = sum(block.io_service_bytes_recursive);
    const isCounted = written === 0 || sum(block.io_serviced_recursive) > 0;
    return periods > 1 && throttled > 1 && waited > 0 && isCounted;
  });
  await instance.dockerOutput('rm', '-f', 'busy');
});

interface BlockEntry {
  readonly op: string;
  readonly value: number;
}

interface Stats {
  readonly cpu_stats: {
    readonly throttling_data: {
      readonly periods: number;
      readonly throttled_periods: number;
      readonly throttled_time: number;
    };
  };
  readonly blkio_stats: {
    readonly io_service_bytes_recursive: readonly BlockEntry[] | null;
    readonly io_serviced_recursive: readonly BlockEntry[] | null;
  };
}

/** GET /containers/{id}/stats, once. */
async function stats(name: string): Promise<Stats> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const path = `/containers/${name}/stats?stream=0&one-shot=1`;
  const request = get({ socketPath: instance.paths.dockerSocket, path }, (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (piece: string) => (text += piece));
    response.on('end', () => resolve(text));
  });
  request.on('error', reject);
  return JSON.parse(await promise) as Stats;
}
