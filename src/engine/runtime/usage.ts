import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { StatusError } from '#base/errors.ts';
import { hasCode } from '#sys/errno.ts';

import type { ContainerStats, InterfaceStats } from './containers.ts';
import type { LiveContainer } from './live-container.ts';
import { isRunning } from './record.ts';
import type { Room } from './room.ts';

const psTimeoutMs = 30_000;
const defaultPsArguments = '-ef';
const psOutputBytes = 16 * 1024 * 1024;

/** What a container uses now; zeros when it does not run. */
export function statsOf(room: Room, live: LiveContainer): ContainerStats {
  const path = live.record.run?.cgroupPath;
  const networks = live.record.spec.network.mode === 'host' ? {} : interfacesOf(live.record.state.pid);
  return { ...room.cgroups.stats(path ?? '/nothing'), networks };
}

function interfacesOf(pid: number): Readonly<Record<string, InterfaceStats>> {
  if (pid === 0) return {};
  try {
    return parseInterfaces(readFileSync(`/proc/${String(pid)}/net/dev`, 'utf8'));
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH', 'EINVAL')) return {};
    throw error;
  }
}

/** /proc/<pid>/net/dev (proc_pid_net(5)), without the loopback interface. */
export function parseInterfaces(text: string): Readonly<Record<string, InterfaceStats>> {
  const found: Record<string, InterfaceStats> = {};
  for (const line of text.split('\n')) {
    const match = /^\s*([^:\s]+):\s*(.+)$/.exec(line);
    if (match === null || match[1] === 'lo') continue;
    const fields = (match[2] ?? '').trim().split(/\s+/).map(Number);
    const at = (index: number): number => fields[index] ?? 0;
    found[match[1] ?? ''] = {
      rxBytes: at(0),
      rxPackets: at(1),
      rxErrors: at(2),
      rxDropped: at(3),
      txBytes: at(8),
      txPackets: at(9),
      txErrors: at(10),
      txDropped: at(11),
    };
  }
  return found;
}

/** The processes of a container as `ps` on the host shows them; `psArgs` must make it print a PID column. */
export async function topOf(
  room: Room,
  live: LiveContainer,
  psArgs: string,
): Promise<{ readonly titles: readonly string[]; readonly processes: readonly (readonly string[])[] }> {
  if (!isRunning(live.record)) throw new StatusError('Conflict', `container ${live.id} is not running`);
  const args = (psArgs.trim() || defaultPsArguments).split(/\s+/);
  if (args.some((arg) => !/^[\w,=+%:-]+$/.test(arg)))
    throw new StatusError(
      'InvalidArgument',
      `Cannot list processes: ps arguments "${psArgs}" have characters that none takes`,
    );
  const pids = new Set(room.cgroups.pids(live.record.run?.cgroupPath ?? '/nothing'));
  return parsePs(await psOf(args, pids), pids);
}

/** Own arguments show what they select, such as the processes of one terminal: the container's are named, where ps takes both. */
async function psOf(args: readonly string[], pids: ReadonlySet<number>): Promise<string> {
  if (pids.size === 0 || args.join(' ') === defaultPsArguments) return ps(args);
  return ps([...args, '-q', [...pids].join(',')]).catch(() => ps(args));
}

/** The rows of ps's table whose PID is wanted; the last column takes what is left of its line. Throws InvalidArgument. */
export function parsePs(
  text: string,
  pids: ReadonlySet<number>,
): { readonly titles: readonly string[]; readonly processes: readonly (readonly string[])[] } {
  const [head = '', ...lines] = text.split('\n');
  const titles = head.trim().split(/\s+/);
  const column = titles.indexOf('PID');
  if (column < 0) throw new StatusError('InvalidArgument', "Couldn't find PID field in ps output");
  const rows = lines.map((line) => splitRow(line.trim(), titles.length));
  return { titles, processes: rows.filter((row) => pids.has(Number(row[column]))) };
}

function splitRow(line: string, columns: number): readonly string[] {
  const words = line.split(/\s+/);
  return [...words.slice(0, columns - 1), words.slice(columns - 1).join(' ')];
}

async function ps(args: readonly string[]): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  execFile('ps', [...args], { timeout: psTimeoutMs, maxBuffer: psOutputBytes }, (error, stdout, stderr) => {
    if (error === null) resolve(stdout);
    else reject(new StatusError('InvalidArgument', `ps: ${stderr.trim() || error.message}`, { cause: error }));
  });
  return promise;
}
