import { readdirSync, readFileSync } from 'node:fs';

import { identify, type ProcessIdentity } from '#sys/process.ts';

/** The processes of the machine whose command line has an argument that the test accepts. Kernel threads have none. */
export function findProcesses(isMeant: (argument: string) => boolean): readonly ProcessIdentity[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || !commandLine(name).some(isMeant)) return [];
    const identity = identify(Number(name));
    return identity === undefined ? [] : [identity];
  });
}

/** Empty for a process that is gone. */
function commandLine(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
