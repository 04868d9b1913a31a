import { readFileSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { capabilitiesOf } from './capabilities.ts';

/** What the machine and this process allow, read once: inputs of the spec that are not the container's. */
export interface HostFacts {
  readonly arch: string;
  readonly kernel: readonly [number, number];
  readonly cgroupVersion: 1 | 2;
  /** Whether swap can be limited (memory.memsw on v1 with swap accounting, memory.swap on v2). */
  readonly swapLimits: boolean;
  readonly appArmor: boolean;
  /** Capabilities that this process may hand on to containers. */
  readonly capabilities: ReadonlySet<string>;
  /** Hard resource limits of this process by name without `RLIMIT_`, lower case; Infinity: none. */
  readonly hardLimits: Readonly<Record<string, number>>;
}

/** Names of limits as `/proc/<pid>/limits` spells them, with their rlimit name. */
const limitNames: Readonly<Record<string, string>> = {
  'Max cpu time': 'cpu',
  'Max file size': 'fsize',
  'Max data size': 'data',
  'Max stack size': 'stack',
  'Max core file size': 'core',
  'Max resident set': 'rss',
  'Max processes': 'nproc',
  'Max open files': 'nofile',
  'Max locked memory': 'memlock',
  'Max address space': 'as',
  'Max file locks': 'locks',
  'Max pending signals': 'sigpending',
  'Max msgqueue size': 'msgqueue',
  'Max nice priority': 'nice',
  'Max realtime priority': 'rtprio',
  'Max realtime timeout': 'rttime',
};

/** Reads the facts from `/proc` and `/sys`. */
export function readHostFacts(): HostFacts {
  const status = readFileSync('/proc/self/status', 'utf8');
  const cgroupVersion = exists('/sys/fs/cgroup/cgroup.controllers') ? 2 : 1;
  const capabilities = capabilitiesOf(BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`));
  return {
    arch: process.arch,
    kernel: parseKernel(release()),
    cgroupVersion,
    swapLimits: cgroupVersion === 2 || exists('/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes'),
    appArmor: exists('/sys/kernel/security/apparmor'),
    capabilities,
    // With CAP_SYS_RESOURCE hard limits may be raised at will.
    hardLimits: capabilities.has('CAP_SYS_RESOURCE') ? {} : parseLimits(readFileSync('/proc/self/limits', 'utf8')),
  };
}

/** `6.18.44-foo` as major and minor. */
export function parseKernel(text: string): readonly [number, number] {
  const match = /^(\d+)\.(\d+)/.exec(text);
  return [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
}

/** The hard limits in a `/proc/<pid>/limits` file. */
export function parseLimits(text: string): Readonly<Record<string, number>> {
  const limits: Record<string, number> = {};
  for (const line of text.split('\n')) {
    const match = /^(Max [a-z ]+?)\s{2,}(\S+)\s+(\S+)/.exec(line);
    const name = limitNames[match?.[1] ?? ''];
    if (name !== undefined) limits[name] = match?.[3] === 'unlimited' ? Infinity : Number(match?.[3]);
  }
  return limits;
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
