/** What the cgroup of a container has used and may use; counters since it was made. */
export interface CgroupStats {
  readonly cpu: {
    readonly totalNs: bigint;
    readonly userNs: bigint;
    readonly systemNs: bigint;
    readonly periods: number;
    readonly throttledPeriods: number;
    readonly throttledNs: bigint;
  };
  readonly memory: {
    readonly usageBytes: number;
    readonly inactiveFileBytes: number;
    /** undefined: no limit. */
    readonly limitBytes: number | undefined;
    /** All of memory.stat. */
    readonly details: Readonly<Record<string, number>>;
  };
  readonly pids: { readonly current: number; readonly limit: number | undefined };
  readonly block: { readonly readBytes: number; readonly writeBytes: number };
}

/** Text of a control file; '' when it is not there. */
export type ReadControl = (file: string) => string;

/** USER_HZ: the unit of cpuacct.stat, 100 per second on every architecture of Linux that we run on. */
const nsPerTick = 10_000_000n;

/** Limits above this mean none: v1 writes 2^63 rounded down to a page. */
const unlimitedFrom = 2 ** 62;

/** `read` takes `<controller>/<file>`, such as `memory/memory.stat` (kernel, cgroup-v1/). */
export function readStatsV1(read: ReadControl): CgroupStats {
  const usage = parsePairs(read('cpuacct/cpuacct.stat'));
  const throttling = parsePairs(read('cpu/cpu.stat'));
  const memory = parsePairs(read('memory/memory.stat'));
  return {
    cpu: {
      totalNs: toBigInt(read('cpuacct/cpuacct.usage')),
      userNs: BigInt(usage['user'] ?? 0) * nsPerTick,
      systemNs: BigInt(usage['system'] ?? 0) * nsPerTick,
      periods: throttling['nr_periods'] ?? 0,
      throttledPeriods: throttling['nr_throttled'] ?? 0,
      throttledNs: BigInt(throttling['throttled_time'] ?? 0),
    },
    memory: {
      usageBytes: toNumber(read('memory/memory.usage_in_bytes')),
      inactiveFileBytes: memory['total_inactive_file'] ?? 0,
      limitBytes: toLimit(read('memory/memory.limit_in_bytes')),
      details: memory,
    },
    pids: { current: toNumber(read('pids/pids.current')), limit: toLimit(read('pids/pids.max')) },
    block: parseBlockV1(read('blkio/blkio.throttle.io_service_bytes_recursive')),
  };
}

/** `read` takes a file of the one folder, such as `memory.stat` (kernel, cgroup-v2.rst). */
export function readStatsV2(read: ReadControl): CgroupStats {
  const cpu = parsePairs(read('cpu.stat'));
  const memory = parsePairs(read('memory.stat'));
  const microseconds = (name: string): bigint => BigInt(cpu[name] ?? 0) * 1000n;
  return {
    cpu: {
      totalNs: microseconds('usage_usec'),
      userNs: microseconds('user_usec'),
      systemNs: microseconds('system_usec'),
      periods: cpu['nr_periods'] ?? 0,
      throttledPeriods: cpu['nr_throttled'] ?? 0,
      throttledNs: microseconds('throttled_usec'),
    },
    memory: {
      usageBytes: toNumber(read('memory.current')),
      inactiveFileBytes: memory['inactive_file'] ?? 0,
      limitBytes: toLimit(read('memory.max')),
      details: memory,
    },
    pids: { current: toNumber(read('pids.current')), limit: toLimit(read('pids.max')) },
    block: parseBlockV2(read('io.stat')),
  };
}

/** `key value` lines. */
export function parsePairs(text: string): Readonly<Record<string, number>> {
  const lines = text.split('\n').map((line) => line.split(' '));
  return Object.fromEntries(lines.filter((line) => line.length === 2).map(([key, value]) => [key, Number(value)]));
}

function parseBlockV1(text: string): CgroupStats['block'] {
  const sum = { readBytes: 0, writeBytes: 0 };
  for (const line of text.split('\n')) {
    const [, operation, value] = line.split(' ');
    if (operation === 'Read') sum.readBytes += Number(value);
    if (operation === 'Write') sum.writeBytes += Number(value);
  }
  return sum;
}

function parseBlockV2(text: string): CgroupStats['block'] {
  const sum = { readBytes: 0, writeBytes: 0 };
  for (const [, key, value] of text.matchAll(/\b(rbytes|wbytes)=(\d+)/g)) {
    if (key === 'rbytes') sum.readBytes += Number(value);
    else sum.writeBytes += Number(value);
  }
  return sum;
}

function toNumber(text: string): number {
  return Number.parseInt(text, 10) || 0;
}

function toBigInt(text: string): bigint {
  const digits = /^\d+/.exec(text)?.[0];
  return digits === undefined ? 0n : BigInt(digits);
}

function toLimit(text: string): number | undefined {
  const value = Number.parseInt(text, 10);
  return Number.isNaN(value) || value >= unlimitedFrom ? undefined : value;
}
