import { isObject } from '#base/json.ts';
import type { IdMap } from '#formats/id-map.ts';
import type { ProcessIdentity } from '#sys/process.ts';

import type { PortRequest } from '../network/networks.ts';
import type { ContainerSpec, ContainerState, ContainerStatus, MountPoint } from './container.ts';
import type { RuntimeName } from './oci-runtimes.ts';
import { never } from './timestamps.ts';

/**
 * What is kept of a container on disk, one file each. Everything else can be found again: whether it runs is seen in
 * the run folder and in /proc.
 */
export interface ContainerRecord {
  readonly version: 1;
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly spec: ContainerSpec;
  readonly mounts: readonly MountPoint[];
  readonly state: ContainerState;
  /** Present from before a start until after the exit was taken up: then the world must be asked what became of it. */
  readonly run?: Run;
  readonly hasRun: boolean;
  readonly manuallyStopped: boolean;
  /** Delay before the last restart by the policy; 0 when there was none. */
  readonly lastDelayMs: number;
  /** Another spec that it is on its way to. */
  readonly change?: SpecChange;
  /** It is to take the place of another container. */
  readonly replaces?: Replacement;
  /** It is being stopped in order to start again: a daemon that finds it ended starts it. */
  readonly startsAgain?: boolean;
  /** With status `removing`: anonymous volumes go too. */
  readonly removeVolumes?: boolean;
}

/** A change of a container in place. `spec` and `mounts` are those that it has not got: new ones first, then the old. */
export interface SpecChange {
  /** `returning`: the new ones did not start. */
  readonly step: 'stopping' | 'starting' | 'returning';
  readonly spec: ContainerSpec;
  readonly mounts: readonly MountPoint[];
  /** It ran before. */
  readonly start: boolean;
}

/** What a container is to replace. */
export interface Replacement {
  /** ID of the old one. */
  readonly id: string;
  /** Name that the old one had, and this one gets. */
  readonly name: string;
  /** The old one ran. */
  readonly start: boolean;
  /** From now on it is the new one that stays. */
  readonly switched: boolean;
  /** Published ports that it has before the switch, since the old one has not got them. */
  readonly ports: readonly PortRequest[];
}

/** One run of the container's program. */
export interface Run {
  readonly bootId: string;
  readonly cgroupPath: string;
  /** What made it, and works on it until its end; absent in records of times when there was runc only. */
  readonly runtime?: RuntimeName;
  /** Users and groups of its user namespace; absent without one. */
  readonly ids?: IdMap;
  /** The container's first process; absent until it was made. */
  readonly init?: ProcessIdentity;
  /** The conmon that holds it. */
  readonly holder?: ProcessIdentity;
}

export const initialState: ContainerState = {
  status: 'created',
  pid: 0,
  exitCode: 0,
  error: '',
  oomKilled: false,
  startedAt: never,
  finishedAt: never,
  restartCount: 0,
};

const statuses: readonly ContainerStatus[] = [
  'created',
  'running',
  'paused',
  'restarting',
  'removing',
  'exited',
  'dead',
];

/** Checks the shape as far as a wrong one would break the engine; the rest was written by ourselves. */
export function isContainerRecord(value: unknown): value is ContainerRecord {
  if (!isObject(value) || value['version'] !== 1) return false;
  const { spec, state } = value;
  return (
    typeof value['id'] === 'string' &&
    /^[0-9a-f]{64}$/.test(value['id']) &&
    typeof value['name'] === 'string' &&
    Array.isArray(value['mounts']) &&
    isObject(spec) &&
    Array.isArray(spec['args']) &&
    isObject(spec['network']) &&
    isObject(spec['log']) &&
    isObject(state) &&
    statuses.includes(state['status'] as ContainerStatus)
  );
}

/** Whether the container has processes: also when they are paused. */
export function isRunning(record: ContainerRecord): boolean {
  return record.state.status === 'running' || record.state.status === 'paused';
}

/** The runtime that made the run of a container. */
export function runtimeOf({ run }: Pick<ContainerRecord, 'run'>): RuntimeName {
  return run?.runtime ?? 'runc';
}
