import { readFileSync } from 'node:fs';
import { constants } from 'node:os';

import { hasCode } from './errno.ts';
import { systemCall } from './ffi.ts';

/** A process for ever: a process ID alone is reused. Safe to store; after a reboot it matches nothing. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time since boot in clock ticks (field 22 of /proc/<pid>/stat). */
  readonly startTicks: string;
  /** /proc/sys/kernel/random/boot_id. */
  readonly bootId: string;
}

export interface ProcessStat {
  readonly pid: number;
  readonly name: string;
  /** `R`, `S`, `D`, `Z`, ... */
  readonly state: string;
  readonly parentPid: number;
  readonly startTicks: string;
}

const pidfdSendSignal = 424;
const pidfdOpen = 434;

const openPidfd = systemCall('long syscall(long number, int pid, unsigned int flags)');
const sendSignal = systemCall('long syscall(long number, int pidfd, int signal, void *info, unsigned int flags)');
const close = systemCall('int close(int fd)');

/** Who has this process ID now; undefined when nobody has. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  return stat === undefined ? undefined : { pid, startTicks: stat.startTicks, bootId: bootId() };
}

/** Whether the process still runs; a zombie does not. */
export function isAlive(identity: ProcessIdentity): boolean {
  const stat = readStat(identity.pid);
  if (stat === undefined || stat.state === 'Z' || stat.state === 'X') return false;
  return stat.startTicks === identity.startTicks && bootId() === identity.bootId;
}

/** Sends a signal to exactly this process (never to one that reused its ID); false when it is gone. */
export function kill(identity: ProcessIdentity, signal: NodeJS.Signals | number): boolean {
  const number = typeof signal === 'number' ? signal : constants.signals[signal];
  const subject = String(identity.pid);
  try {
    const pidfd = openPidfd(subject, pidfdOpen, identity.pid, 0);
    try {
      if (!isAlive(identity)) return false;
      sendSignal(subject, pidfdSendSignal, pidfd, number, null, 0);
      return true;
    } finally {
      close(subject, pidfd);
    }
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return false;
    throw error;
  }
}

/** undefined when there is no such process. */
function readStat(pid: number): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${String(pid)}/stat`, 'utf8'));
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}

/** /proc/<pid>/stat (proc_pid_stat(5)); the name may hold anything, also `) `. */
export function parseStat(text: string): ProcessStat {
  const open = text.indexOf('(');
  const end = text.lastIndexOf(')');
  const fields = text.slice(end + 2).split(' ');
  return {
    pid: Number(text.slice(0, open)),
    name: text.slice(open + 1, end),
    state: fields[0] ?? '',
    parentPid: Number(fields[1]),
    startTicks: fields[19] ?? '',
  };
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
