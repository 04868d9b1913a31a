import { readFileSync, statfsSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

import { hasCode } from '#sys/errno.ts';

/** What a machine is, as far as its Node object tells it. */
export interface NodeFacts {
  readonly cpuCount: number;
  readonly memoryBytes: number;
  /** Of the filesystem that holds images and containers. */
  readonly diskBytes: number;
  readonly kernelVersion: string;
  readonly osImage: string;
  readonly machineId: string;
  readonly systemUuid: string;
  readonly bootId: string;
  /** Go's word. */
  readonly architecture: string;
}

const goNames: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', arm: 'arm', ia32: '386' };

/** Reads what this machine is. `folder`: where images and containers are kept. */
export function readNodeFacts(folder: string): NodeFacts {
  const { blocks, bsize } = statfsSync(folder);
  const machineId = textOf('/etc/machine-id');
  return {
    cpuCount: cpus().length,
    memoryBytes: totalmem(),
    diskBytes: blocks * bsize,
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)/m.exec(textOf('/etc/os-release'))?.[1] ?? '',
    machineId,
    systemUuid: textOf('/sys/class/dmi/id/product_uuid') || machineId,
    bootId: textOf('/proc/sys/kernel/random/boot_id'),
    architecture: goNames[process.arch] ?? process.arch,
  };
}

/** Empty where there is none, as in containers. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EACCES')) return '';
    throw error;
  }
}
