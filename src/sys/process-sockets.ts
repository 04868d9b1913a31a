import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

import { type ListeningSocket, parseListeningSockets } from '#formats/proc-net.ts';

import { hasCode } from './errno.ts';

/** A socket that takes what comes from others. */
export interface ProcessSocket extends Pick<ListeningSocket, 'address' | 'port'> {
  readonly protocol: 'tcp' | 'udp';
}

const tables = { tcp: ['tcp', 'tcp6'], udp: ['udp', 'udp6'] } as const;

/** The listening sockets that the processes in the cgroup of `pid` have open; none when it has ended. */
export function listeningSockets(pid: number): readonly ProcessSocket[] {
  const cgroup = read(`/proc/${String(pid)}/cgroup`);
  if (cgroup === '') return [];
  const pids = entries('/proc').filter((name) => /^\d+$/.test(name) && read(`/proc/${name}/cgroup`) === cgroup);
  const inodes = new Set(pids.flatMap(socketInodes));
  return (['tcp', 'udp'] as const).flatMap((protocol) =>
    tables[protocol]
      .flatMap((table) => parseListeningSockets(read(`/proc/${String(pid)}/net/${table}`), protocol))
      .filter(({ inode }) => inodes.has(inode))
      .map(({ address, port }) => ({ protocol, address, port })),
  );
}

function socketInodes(pid: string): readonly string[] {
  return entries(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return [];
      throw error;
    }
  });
}

/** Processes end while they are looked at. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return '';
    throw error;
  }
}

function entries(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return [];
    throw error;
  }
}
