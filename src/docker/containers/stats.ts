import { availableParallelism, totalmem } from 'node:os';

import { nowNs, sleep } from '#base/clock.ts';
import type { Container } from '#engine/runtime/container.ts';
import type { Containers, ContainerStats } from '#engine/runtime/containers.ts';
import type { BlockCount } from '#sys/cgroup-stats.ts';

import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import type { Reply } from '../http/reply.ts';
import { json, stream } from '../http/reply.ts';
import { nsToIso } from '../text/timestamp.ts';
import { hostCpuNs } from './host-cpu.ts';
import { speaks } from '../http/api-version.ts';

const periodMs = 1000;
const never = '0001-01-01T00:00:00Z';

interface Sample {
  readonly readAt: string;
  readonly stats: ContainerStats | undefined;
  readonly systemNs: bigint;
}

const noSample: Sample = { readAt: never, stats: undefined, systemNs: 0n };

/** GET /containers/{id}/stats: one sample, or one each second until the container is removed. */
export async function statsReply({ engine }: Context, call: Call, signal: AbortSignal): Promise<Reply> {
  const { containers } = engine;
  const { id } = containers.get(call.params['id'] ?? '');
  if (call.query.flag('stream', true)) {
    return stream({ headAtOnce: true }, async (output) => {
      let before = noSample;
      for (;;) {
        const container = containers.find(id);
        if (container === undefined) return;
        const now = takeSample(containers, container);
        await output.write(`${JSON.stringify(statsBody(container, before, now))}\n`);
        before = now;
        await sleep(periodMs, signal);
      }
    });
  }
  let before = noSample;
  // A rate needs two samples, unless the client keeps the first one itself.
  if (!isOneShot(call) && isRunning(containers.get(id))) {
    before = takeSample(containers, containers.get(id));
    await sleep(periodMs, signal);
  }
  return json(statsBody(containers.get(id), before, takeSample(containers, containers.get(id))));
}

function isOneShot({ query, version }: Call): boolean {
  return speaks(version, 41) && query.flag('one-shot');
}

function isRunning({ state }: Container): boolean {
  return state.status === 'running' || state.status === 'paused';
}

function takeSample(containers: Containers, container: Container): Sample {
  if (!isRunning(container)) return noSample;
  try {
    return { readAt: nsToIso(nowNs()), stats: containers.stats(container.id), systemNs: hostCpuNs() };
  } catch {
    // It ended between the look and the read.
    return noSample;
  }
}

function statsBody(container: Container, before: Sample, now: Sample): object {
  const { stats } = now;
  return {
    name: `/${container.name}`,
    id: container.id,
    os_type: 'linux',
    read: now.readAt,
    preread: before.readAt,
    pids_stats: stats === undefined ? {} : { current: stats.pids.current, limit: stats.pids.limit ?? 0 },
    blkio_stats: blockBody(stats),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpuBody(now),
    precpu_stats: cpuBody(before),
    memory_stats: stats === undefined ? {} : memoryBody(stats),
    ...(stats !== undefined && { networks: networkBodies(stats) }),
  };
}

/** The peak and the failures are of cgroup v1 alone. Clients subtract the page cache by its name on v1 or on v2: it has both. */
function memoryBody(stats: ContainerStats): object {
  const { usageBytes, inactiveFileBytes, details, mostBytes, failures } = stats.memory;
  return {
    usage: usageBytes,
    ...(mostBytes !== undefined && { max_usage: mostBytes }),
    ...(failures !== undefined && { failcnt: failures }),
    limit: memoryLimit(stats),
    stats: { ...details, inactive_file: inactiveFileBytes, total_inactive_file: inactiveFileBytes },
  };
}

/** Clients divide by it: without a limit of its own, a container may take all of this machine's memory. */
function memoryLimit({ memory }: ContainerStats): number {
  const all = totalmem();
  return Math.min(memory.limitBytes || all, all);
}

function cpuBody({ stats, systemNs }: Sample): object {
  const { cpu } = stats ?? {};
  const perCpu = cpu?.perCpuNs ?? [];
  return {
    cpu_usage: {
      total_usage: Number(cpu?.totalNs ?? 0n),
      ...(perCpu.length > 0 && { percpu_usage: perCpu.map(Number) }),
      usage_in_kernelmode: Number(cpu?.systemNs ?? 0n),
      usage_in_usermode: Number(cpu?.userNs ?? 0n),
    },
    ...(stats !== undefined && { system_cpu_usage: Number(systemNs), online_cpus: availableParallelism() }),
    throttling_data: {
      periods: cpu?.periods ?? 0,
      throttled_periods: cpu?.throttledPeriods ?? 0,
      throttled_time: Number(cpu?.throttledNs ?? 0n),
    },
  };
}

/** Only the kernel before 5.0 counted the other lists. */
function blockBody(stats: ContainerStats | undefined): object {
  const entries = (counts: readonly BlockCount[] | undefined): readonly object[] | null =>
    counts?.map(({ major, minor, operation, value }) => ({ major, minor, op: operation, value })) ?? null;
  return {
    io_service_bytes_recursive: entries(stats?.block.bytes),
    io_serviced_recursive: entries(stats?.block.operations),
    io_queue_recursive: null,
    io_service_time_recursive: null,
    io_wait_time_recursive: null,
    io_merged_recursive: null,
    io_time_recursive: null,
    sectors_recursive: null,
  };
}

function networkBodies({ networks }: ContainerStats): object {
  return Object.fromEntries(
    Object.entries(networks).map(([name, counts]) => [
      name,
      {
        rx_bytes: counts.rxBytes,
        rx_packets: counts.rxPackets,
        rx_errors: counts.rxErrors,
        rx_dropped: counts.rxDropped,
        tx_bytes: counts.txBytes,
        tx_packets: counts.txPackets,
        tx_errors: counts.txErrors,
        tx_dropped: counts.txDropped,
      },
    ]),
  );
}
