import { readFileSync } from 'node:fs';

/** The kernel counts in hundredths of a second here, whatever its own tick is (proc_stat(5), USER_HZ). */
const tickNs = 10_000_000n;
/** user, nice, system, idle, iowait, irq, softirq, steal; guest times are in user already. */
const countedFields = 8;

/** CPU time that all CPUs of this machine have spent since boot, idle included, in nanoseconds. */
export function hostCpuNs(): bigint {
  return parseHostCpu(readFileSync('/proc/stat', 'utf8'));
}

export function parseHostCpu(text: string): bigint {
  const fields = /^cpu +(.*)$/m.exec(text)?.[1]?.split(' ') ?? [];
  return fields.slice(0, countedFields).reduce((sum, field) => sum + BigInt(field) * tickNs, 0n);
}
