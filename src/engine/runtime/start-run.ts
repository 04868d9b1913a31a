import { chownSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { nowNs } from '#base/clock.ts';
import { messageOf, StatusError } from '#base/errors.ts';
import type { Owner } from '#formats/id-map.ts';
import { hasCode } from '#sys/errno.ts';
import { identify, kill, type ProcessIdentity } from '#sys/process.ts';
import { makeFoldersInRoot } from '#sys/rooted.ts';

import { checkReceiver } from '../logs/check-log.ts';
import type { Sandbox, SandboxRequest } from '../network/networks.ts';
import { type Bundle, makeBundle, mountSharedMemory } from './bundle.ts';
import { type Holder, holdProcess } from './conmon.ts';
import { splitLimits, writeLimits } from './crun-limits.ts';
import { clearRun } from './end-run.ts';
import { readUserDatabase } from './image-users.ts';
import { resolveLinks } from './links.ts';
import { openGate } from './start-gate.ts';
import { eventAttributes, type LiveContainer } from './live-container.ts';
import type { OciRuntime } from './oci-runtimes.ts';
import { type ContainerRecord, runtimeOf } from './record.ts';
import { openMounts } from './resolve-mounts.ts';
import type { PodSandbox } from '../sandboxes/pod-sandboxes.ts';
import { parentCgroup, type Room } from './room.ts';
import { logOrigin, prepareLog, watchLog } from './run-log.ts';
import { mountReachable, openRunOwner, type RunOwner } from './run-owner.ts';
import { buildSpec, encodeSpec } from './spec/build-spec.ts';
import { allDevices, numberedBlockLimits, requestedDevices } from './spec/devices.ts';
import { type ResolvedMount, shmOptions } from './spec/mounts.ts';
import { sandboxOf, sharedWith } from './spec/namespaces.ts';
import { resolveUser } from './spec/user.ts';
import { inRuncsWords, lastRuntimeError, lastWords, startFailure } from './start-failure.ts';
import { formatTime } from './timestamps.ts';

const filePlaces = { hosts: '/etc/hosts', hostname: '/etc/hostname', resolvConf: '/etc/resolv.conf' } as const;
const initNames = ['docker-init', 'tini-static', 'tini'];
const initFolders = ['/usr/libexec/docker', '/usr/local/bin', '/usr/bin', '/usr/sbin'];

/**
 * Starts a container that does not run; the caller holds its lock. When it fails everything is taken back, and the record
 * holds why. Throws InvalidArgument with Docker's sentence when the runtime refuses.
 */
export async function startRun(room: Room, live: LiveContainer, signal: AbortSignal): Promise<void> {
  const before = live.record;
  const bundle = room.paths.bundle(live.id);
  const cgroupPath = cgroupOf(room, before);
  const runtime = room.runtimes.get(before.spec.runtime ?? room.runtimes.default);
  live.record = { ...before, run: { bootId: bootId(), cgroupPath, runtime: runtime.name } };
  // That it was started is durable before its program begins; meanwhile the runtime makes the container.
  const saved = before.spec.autoRemove ? undefined : room.records.save(live.record);
  if (saved === undefined) room.records.note(live.record);
  let holder: Held | undefined;
  try {
    holder = await settled(hold(room, live, { bundle, cgroupPath, runtime }, signal), saved);
    const init = await settled(createdProcess(room, holder, bundle, before.spec.args[0] ?? ''), saved);
    await saved;
    await begin(room, live, bundle, init, holder);
  } catch (error) {
    const failure = failureOf(error);
    if (holder?.identity !== undefined) kill(holder.identity, 'SIGKILL');
    await holder?.ended;
    await clearRun(room, live, cgroupPath);
    const { run: _, ...rest } = before;
    const state = { ...before.state, error: failure.message, exitCode: failure.exitCode };
    live.record = { ...rest, state: { ...state, status: before.hasRun ? 'exited' : 'created' } };
    await room.records.save(live.record);
    throw error instanceof RuntimeRefusal ? new StatusError('InvalidArgument', failure.message) : error;
  }
}

/** The work's result. When it fails, what goes on beside it is waited for first: nothing of a start outlives it. */
async function settled<T>(work: Promise<T>, beside: Promise<unknown> | undefined): Promise<T> {
  beside?.catch(() => {});
  try {
    return await work;
  } catch (error) {
    await beside?.catch(() => {});
    throw error;
  }
}

/** The runtime would not create the container or its program; the message is Docker's. */
class RuntimeRefusal extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

function failureOf(error: unknown): { readonly message: string; readonly exitCode: number } {
  if (error instanceof RuntimeRefusal) return { message: error.message, exitCode: error.exitCode };
  return { message: messageOf(error), exitCode: 128 };
}

/** What a run is made with. */
interface Making {
  readonly bundle: Bundle;
  readonly cgroupPath: string;
  readonly runtime: OciRuntime;
}

/** A conmon, and the limits that its runtime does not write. */
type Held = Holder & Pick<ReturnType<typeof splitLimits>, 'own'>;

/** Everything up to a conmon that makes the container. */
async function hold(
  room: Room,
  live: LiveContainer,
  { bundle, cgroupPath, runtime }: Making,
  signal: AbortSignal,
): Promise<Held> {
  const { record } = live;
  const { spec } = record;
  makeBundle(bundle);
  const owner = await openRunOwner(room, record);
  const { rootPath, mounts } = await openFiles(room, live, { bundle, owner }, signal);
  tellMounts(room, record);
  const links = resolveLinks(room, record);
  const namespace = owner?.network === undefined ? {} : { namespace: owner.network };
  const request = { ...sandboxRequest(record), ...namespace, linked: links.hosts };
  const sandbox = await room.networks.open(request, signal);
  writeSandboxFiles(bundle, sandbox.files);
  if (owner !== undefined) giveSandboxFiles(bundle, owner.root);
  const config = buildSpec({
    // What the user set wins over what a link says.
    spec: { ...spec, env: [...links.env, ...spec.env] },
    host: room.host,
    rootPath,
    user: resolveUser(spec.user, spec.additionalGroups, readUserDatabase(rootPath)),
    mounts,
    files: sandboxMounts(bundle),
    devices: spec.privileged ? allDevices() : requestedDevices(spec.devices, spec.deviceRules),
    blockDevices: numberedBlockLimits(spec.limits.blockDevices),
    netnsPath: sandbox.netnsPath,
    owner,
    cgroupsPath: cgroupPath,
    initPath: spec.init ? findInit() : undefined,
    sharedMemory: sharedMemoryOf(room, live, bundle, owner),
    pidOf: (id) => runningPid(room, id),
    podIpcPath: podOf(room, spec)?.ipcPath,
  });
  const { given, own } = splitLimits(runtime.name, config.linux.resources, room.cgroups.mode);
  const shown = { ...config, linux: { ...config.linux, resources: given } };
  writeFileSync(bundle.config, encodeSpec(shown), { mode: 0o600 });
  await checkReceiver(logOrigin(record), room.journalSocket, room.logger, signal);
  const holder = holdProcess({
    conmonPath: room.conmonPath,
    runtime,
    id: live.id,
    folder: bundle.folder,
    pidFile: bundle.pid,
    runtimeLog: bundle.runtimeLog,
    exits: room.paths.exits,
    tty: spec.tty,
    stdin: spec.openStdin,
    // A terminal stays usable for the next client.
    keepStdinOpen: spec.openStdin && (!spec.stdinOnce || spec.tty),
    log: prepareLog(room, record),
  });
  return { ...holder, own };
}

/**
 * The root filesystem and what is mounted into it. Volumes are filled and folders made while owners are those on the disk;
 * then the root is mounted for the run's owner.
 */
async function openFiles(
  room: Room,
  live: LiveContainer,
  { bundle, owner }: { readonly bundle: Bundle; readonly owner: RunOwner | undefined },
  signal: AbortSignal,
): Promise<{ readonly rootPath: string; readonly mounts: readonly ResolvedMount[] }> {
  const { record } = live;
  const root = room.snapshots.mount(live.id, owner === undefined ? {} : { owners: 'stored' });
  const mounts = await openMounts(room, record, { bundle, root, owners: owner?.mounts }, signal);
  makeWorkingDirectory(root, record.spec.cwd);
  if (owner === undefined) return { rootPath: root, mounts };
  if (record.run !== undefined) live.record = { ...record, run: { ...record.run, ids: owner.ids } };
  live.rootIds = owner.ids;
  room.snapshots.mount(live.id, { owners: owner.mounts });
  return { rootPath: mountReachable(root, bundle.subpaths), mounts };
}

/** Docker's events of a container's volumes. */
function tellMounts({ events }: Room, { id, mounts }: ContainerRecord): void {
  for (const { type, name, destination, readOnly, propagation } of mounts) {
    if (type !== 'volume') continue;
    const attributes = { driver: 'local', container: id, destination, 'read/write': String(!readOnly), propagation };
    events.publish('volume', 'mount', name, attributes);
  }
}

/** Throws InvalidArgument when a file is in its way. */
export function makeWorkingDirectory(rootPath: string, cwd: string): void {
  if (cwd === '' || cwd === '/') return;
  try {
    makeFoldersInRoot(rootPath, cwd);
  } catch (error) {
    if (!hasCode(error, 'ENOTDIR', 'EEXIST', 'ELOOP')) throw error;
    throw new StatusError('InvalidArgument', `Cannot mkdir: ${cwd} is not a directory`, { cause: error });
  }
}

async function createdProcess(room: Room, holder: Holder, bundle: Bundle, program: string): Promise<ProcessIdentity> {
  const { pid, text: printed } = await holder.started;
  const identity = pid === undefined ? undefined : identify(pid);
  if (identity !== undefined) return identity;
  await holder.ended;
  const text = lastRuntimeError(readText(bundle.runtimeLog)) ?? lastWords(printed);
  const failure = startFailure('create', inRuncsWords('create', text, program));
  room.logger.info('runtime refused a container', { message: failure.message });
  throw new RuntimeRefusal(failure.message, failure.exitCode);
}

/** The container is made: note it, listen to it, and let its program begin. */
async function begin(
  room: Room,
  live: LiveContainer,
  bundle: Bundle,
  init: ProcessIdentity,
  holder: Held,
): Promise<void> {
  const { run, ...rest } = live.record;
  if (run === undefined) throw new Error('invariant broken: a start has a run');
  const startedAt = formatTime(nowNs());
  live.record = {
    ...rest,
    hasRun: true,
    run: { ...run, init, ...(holder.identity !== undefined && { holder: holder.identity }) },
    state: { ...rest.state, status: 'running', pid: init.pid, startedAt, exitCode: 0, error: '', oomKilled: false },
  };
  room.records.note(live.record);
  live.finished = new AbortController();
  live.ended = Promise.withResolvers<void>();
  live.hub.serve(bundle.attachSocket);
  watchLog(room, live);
  await live.hub.accepted();
  writeLimits(room.cgroups, run.cgroupPath, holder.own);
  await openGate(bundle, room.runtimes.get(runtimeOf(live.record)), init);
  room.events.publish('container', 'start', live.id, eventAttributes(live.record));
}

export function sandboxRequest(record: ContainerRecord): SandboxRequest {
  const { mode, shareWith, dns, extraHosts } = record.spec.network;
  const waiting = record.replaces?.switched === false ? record.replaces : undefined;
  // Before the switch nobody shall find it by a name or port of the one that it replaces.
  const endpoints = record.spec.network.endpoints.map((endpoint) =>
    waiting === undefined ? endpoint : { ...endpoint, aliases: [] },
  );
  const ports = waiting?.ports ?? record.spec.network.ports;
  return {
    containerId: record.id,
    containerName: record.name,
    hostname: record.spec.hostname,
    domainname: record.spec.domainname,
    mode,
    ...(shareWith !== undefined && { shareWith }),
    endpoints,
    ports,
    dns,
    extraHosts,
  };
}

/** Writes them in place: the container has the very files mounted. */
export function writeSandboxFiles(bundle: Bundle, files: Sandbox['files']): void {
  for (const name of ['hosts', 'hostname', 'resolvConf'] as const)
    writeFileSync(join(bundle.folder, name), files[name], { mode: 0o644 });
}

/** The container's root may change them, as Docker has it. */
function giveSandboxFiles(bundle: Bundle, { uid, gid }: Owner): void {
  for (const name of ['hosts', 'hostname', 'resolvConf'] as const) chownSync(sandboxFilePath(bundle, name), uid, gid);
}

export function sandboxFilePath(bundle: Bundle, name: keyof Sandbox['files']): string {
  return join(bundle.folder, name);
}

/** Process ID of a container whose namespaces another one joins. Throws Conflict when it does not run. */
function runningPid(room: Room, id: string): number {
  const { record } = room.table.get(id);
  if (record.state.pid > 0) return record.state.pid;
  throw new StatusError('Conflict', `cannot join namespaces of a non running container: ${record.id}`);
}

/** Where the memory is that the container shares with others, its own (mounted here) or another one's. */
function sharedMemoryOf(
  room: Room,
  live: LiveContainer,
  bundle: Bundle,
  owner: RunOwner | undefined,
): string | undefined {
  const { ipcMode, shmSizeBytes } = live.record.spec;
  const pod = podOf(room, live.record.spec);
  if (pod !== undefined) return pod.sharedMemory;
  if (ipcMode === 'shareable') return mountSharedMemory(bundle, shmOptions(shmSizeBytes, owner?.root));
  const donorId = sharedWith(ipcMode);
  if (donorId === undefined) return undefined;
  const donor = room.table.get(donorId);
  runningPid(room, donorId);
  if (donor.record.spec.ipcMode === 'host') return '/dev/shm';
  if (donor.record.spec.ipcMode === 'shareable') return room.paths.bundle(donor.id).sharedMemory;
  throw new StatusError(
    'InvalidArgument',
    `cannot join IPC namespace of container ${donor.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
  );
}

/** The sandbox whose IPC namespace a container has. Throws Conflict when it is gone. */
function podOf({ sandboxes }: Room, { ipcMode }: ContainerRecord['spec']): PodSandbox | undefined {
  const id = sandboxOf(ipcMode);
  if (id === undefined) return undefined;
  const sandbox = sandboxes.get(id);
  if (sandbox !== undefined) return sandbox;
  throw new StatusError('Conflict', `Cannot join sandbox "${id}": it is not there; make it anew`);
}

function sandboxMounts(bundle: Bundle): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(filePlaces).map(([name, place]) => [place, sandboxFilePath(bundle, name as keyof Sandbox['files'])]),
  );
}

export function cgroupOf(room: Room, { id, spec }: ContainerRecord): string {
  const parent = spec.cgroupParent === '' ? parentCgroup(room.instance) : `/${spec.cgroupParent.replace(/^\/+/, '')}`;
  return join(parent, id);
}

function findInit(): string {
  for (const folder of initFolders)
    for (const name of initNames) {
      const path = join(folder, name);
      if (readableFile(path)) return path;
    }
  throw new StatusError(
    'Unavailable',
    `Cannot start with an init process: none of ${initNames.join(', ')} is installed; install the package tini`,
  );
}

function readableFile(path: string): boolean {
  try {
    return readFileSync(path).length > 0;
  } catch {
    return false;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  }
}

export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
