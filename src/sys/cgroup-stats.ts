/** What was done with one block device, under the kernel's name of the operation. */
export interface BlockCount {
  readonly major: number;
  readonly minor: number;
  readonly operation: string;
  readonly value: number;
}

/** What the cgroup of a container has used and may use; counters since it was made. */
export interface CgroupStats {
  readonly cpu: {
    readonly totalNs: bigint;
    readonly userNs: bigint;
    readonly systemNs: bigint;
    /** Of each CPU, where the kernel counts so (v1). */
    readonly perCpuNs: readonly bigint[];
    readonly periods: number;
    readonly throttledPeriods: number;
    readonly throttledNs: bigint;
  };
  readonly memory: {
    readonly usageBytes: number;
    readonly inactiveFileBytes: number;
    /** The most there ever was, and how often the limit was hit, where the kernel counts so (v1). */
    readonly mostBytes: number | undefined;
    readonly failures: number | undefined;
    /** undefined: no limit. */
    readonly limitBytes: number | undefined;
    /** All of memory.stat. */
    readonly details: Readonly<Record<string, number>>;
  };
  readonly pids: { readonly current: number; readonly limit: number | undefined };
  readonly block: { readonly bytes: readonly BlockCount[]; readonly operations: readonly BlockCount[] };
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
      perCpuNs: (read('cpuacct/cpuacct.usage_percpu').match(/\d+/g) ?? []).map(BigInt),
      periods: throttling['nr_periods'] ?? 0,
      throttledPeriods: throttling['nr_throttled'] ?? 0,
      throttledNs: BigInt(throttling['throttled_time'] ?? 0),
    },
    memory: {
      usageBytes: toNumber(read('memory/memory.usage_in_bytes')),
      inactiveFileBytes: memory['total_inactive_file'] ?? 0,
      mostBytes: toNumber(read('memory/memory.max_usage_in_bytes')),
      failures: toNumber(read('memory/memory.failcnt')),
      limitBytes: toLimit(read('memory/memory.limit_in_bytes')),
      details: memory,
    },
    pids: { current: toNumber(read('pids/pids.current')), limit: toLimit(read('pids/pids.max')) },
    block: {
      bytes: parseBlockV1(read('blkio/blkio.throttle.io_service_bytes_recursive')),
      operations: parseBlockV1(read('blkio/blkio.throttle.io_serviced_recursive')),
    },
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
      perCpuNs: [],
      periods: cpu['nr_periods'] ?? 0,
      throttledPeriods: cpu['nr_throttled'] ?? 0,
      throttledNs: microseconds('throttled_usec'),
    },
    memory: {
      usageBytes: toNumber(read('memory.current')),
      inactiveFileBytes: memory['inactive_file'] ?? 0,
      mostBytes: undefined,
      failures: undefined,
      limitBytes: toLimit(read('memory.max')),
      details: memory,
    },
    pids: { current: toNumber(read('pids.current')), limit: toLimit(read('pids.max')) },
    block: {
      bytes: parseBlockV2(read('io.stat'), { rbytes: 'read', wbytes: 'write' }),
      operations: parseBlockV2(read('io.stat'), { rios: 'read', wios: 'write' }),
    },
  };
}

/** `key value` lines. */
export function parsePairs(text: string): Readonly<Record<string, number>> {
  const lines = text.split('\n').map((line) => line.split(' '));
  return Object.fromEntries(lines.filter((line) => line.length === 2).map(([key, value]) => [key, Number(value)]));
}

/** `254:0 Read 5` lines; the last one, a sum over all devices, has no device. */
function parseBlockV1(text: string): readonly BlockCount[] {
  return [...text.matchAll(/^(\d+):(\d+) (\w+) (\d+)$/gm)].map(([, major, minor, operation = '', value]) => ({
    major: Number(major),
    minor: Number(minor),
    operation,
    value: Number(value),
  }));
}

/** `254:0 rbytes=1 wbytes=2 rios=3` lines; `names` says which counters, and what they are called. */
function parseBlockV2(text: string, names: Readonly<Record<string, string>>): readonly BlockCount[] {
  return [...text.matchAll(/^(\d+):(\d+) (.*)$/gm)].flatMap(([, major, minor, rest = '']) =>
    [...rest.matchAll(/(\w+)=(\d+)/g)].flatMap(([, key = '', value]) => {
      const operation = names[key];
      return operation === undefined
        ? []
        : [{ major: Number(major), minor: Number(minor), operation, value: Number(value) }];
    }),
  );
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
