import assert from 'node:assert/strict';
import { once } from 'node:events';
import { totalmem } from 'node:os';
import { describe, test } from 'node:test';

import { DockerClient } from '#kit/fake-engine/docker-client.ts';
import { hostCpuNs, parseHostCpu } from './host-cpu.ts';

type Body = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

describe('stats', () => {
  test('say how much memory a container without a limit of its own may take', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.run(['wait']);
    for (const limitBytes of [0, totalmem() * 2]) {
      client.engine.containers.memoryLimitBytes = limitBytes;
      const body = (await client.call('GET', `/containers/${id}/stats?stream=0&one-shot=1`)).body as Body;
      assert.equal(body['memory_stats']?.['limit'], totalmem());
    }
  });

  test('have the fields that docker stats computes from', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.run(['wait'], { HostConfig: { PidsLimit: 50 } }, '?name=web');
    const body = (await client.call('GET', `/containers/${id}/stats?stream=0&one-shot=1`)).body as Body;
    assert.deepEqual([body['name'], body['id']], ['/web', id]);
    assert.deepEqual(body['cpu_stats']?.['cpu_usage'], {
      total_usage: 3_000_000,
      percpu_usage: [1, 2],
      usage_in_kernelmode: 1_000_000,
      usage_in_usermode: 2_000_000,
    });
    const throttling = { periods: 4, throttled_periods: 5, throttled_time: 6 };
    assert.deepEqual(body['cpu_stats']?.['throttling_data'], throttling);
    assert.ok(Number(body['cpu_stats']?.['system_cpu_usage']) > 0);
    assert.ok(Number(body['cpu_stats']?.['online_cpus']) > 0);
    assert.equal(body['precpu_stats']?.['system_cpu_usage'], undefined);
    assert.deepEqual(body['memory_stats'], {
      usage: 4096,
      max_usage: 8192,
      failcnt: 1,
      limit: 65_536,
      stats: { cache: 7, inactive_file: 1024, total_inactive_file: 1024 },
    });
    assert.deepEqual(body['pids_stats'], { current: 3, limit: 50 });
    const network = body['networks']?.['eth0'] as Record<string, unknown>;
    assert.deepEqual([network['rx_bytes'], network['tx_dropped']], [1, 8]);
    const blocks = body['blkio_stats']?.['io_service_bytes_recursive'] as readonly { op: string; value: number }[];
    assert.deepEqual(
      blocks.map(({ op, value }) => [op, value]),
      [
        ['read', 10],
        ['write', 20],
      ],
    );
  });

  test('stream one object at once, then one each second until the container is gone', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.run(['wait']);
    const answer = await client.open('GET', `/containers/${id}/stats`);
    const [first] = (await once(answer, 'data')) as [Buffer];
    assert.equal((JSON.parse(first.toString()) as { id: string }).id, id);
    await client.call('DELETE', `/containers/${id}?force=1`);
    answer.resume();
    await once(answer, 'end');
  });

  test('of one that does not run are zeroes', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.create(['wait']);
    const body = (await client.call('GET', `/containers/${id}/stats?stream=false`)).body as Body;
    assert.equal(body['read'], '0001-01-01T00:00:00Z');
    assert.deepEqual(body['memory_stats'], {});
    assert.equal(body['networks'], undefined);
    assert.equal((await client.call('GET', '/containers/nope/stats')).status, 404);
  });

  test('CPU time of the host adds up what is not counted twice', () => {
    const text = 'cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 9 9 9 9 9 9 9 9 9 9\nintr 5\n';
    assert.equal(parseHostCpu(text), 360_000_000n);
    assert.ok(hostCpuNs() > 0n);
  });
});
