import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { newId } from '#base/ids.ts';
import { hasCode } from '#sys/errno.ts';

import { holdProcess } from './conmon.ts';
import type { Attachment, Exec, ExecSpec } from './containers.ts';
import { execExitPath, readExit } from './end-run.ts';
import { readUserDatabase } from './image-users.ts';
import { eventAttributes, type LiveContainer, type LiveExec, notRunning } from './live-container.ts';
import type { Room } from './room.ts';
import { capabilitySets, encodeSpec } from './spec/build-spec.ts';
import { capabilityNames, resolveCapabilities } from './spec/capabilities.ts';
import { resolveEnvironment } from './spec/environment.ts';
import type { RuntimeProcess } from './spec/runtime-spec.ts';
import { parseSecurityOptions } from './spec/security-options.ts';
import { resolveUlimits } from './spec/ulimits.ts';
import { resolveUser } from './spec/user.ts';
import { lastRuntimeError, startFailure } from './start-failure.ts';
import { StreamHub } from './stream-hub.ts';

/** Execs of one container that are remembered; older ones that ended are forgotten. */
const maxRemembered = 256;
const neverStartedCode = 126;

/** Registers a program to run in a container. Throws Conflict unless it runs. */
export function createExec(room: Room, live: LiveContainer, spec: ExecSpec): Exec {
  const { status } = live.record.state;
  if (status === 'paused')
    throw new StatusError('Conflict', `Container ${live.id} is paused, unpause the container before exec`);
  if (status !== 'running') throw new StatusError('Conflict', `container ${live.id} is not running`);
  forgetOld(room, live);
  const value: Exec = { id: newId(), containerId: live.id, spec, running: false, exitCode: undefined, pid: 0 };
  const hub = new StreamHub({ closeStdinOnce: true });
  room.table.addExec(live, { value, hub, ended: Promise.withResolvers<number>() });
  room.events.publish('container', `exec_create: ${spec.args.join(' ')}`, live.id, execAttributes(live, value.id));
  return value;
}

/** Starts it; all its output goes to the attachment that is returned. Throws Conflict when it was started before. */
export async function startExec(
  room: Room,
  live: LiveContainer,
  exec: LiveExec,
  options: { readonly detach: boolean },
): Promise<Attachment> {
  const { id, spec } = exec.value;
  if (exec.value.running || exec.value.exitCode !== undefined)
    throw new StatusError('Conflict', `Error: Exec command ${id} has already run`);
  const process = processOf(room, live, spec);
  exec.value = { ...exec.value, running: true };
  const attachment = exec.hub.attach({ stdin: spec.attachStdin && !options.detach });
  const folder = join(room.paths.bundle(live.id).execs, id);
  room.events.publish('container', `exec_start: ${spec.args.join(' ')}`, live.id, execAttributes(live, id));
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, 'process.json'), encodeSpec(process), { mode: 0o600 });
    const watch = room.arrivals.watch(folder, () => takeExecExit(room, live, exec));
    void exec.ended.promise.then(() => watch[Symbol.dispose]());
    const failure = await launch(room, live, exec, folder);
    if (failure !== undefined) return failed(exec, failure.message, failure.exitCode);
    takeExecExit(room, live, exec);
    return attachment;
  } catch (error) {
    failed(exec, '', neverStartedCode);
    throw error;
  }
}

/** Takes up that an exec's program ended, once conmon has said so. */
function takeExecExit(room: Room, live: LiveContainer, exec: LiveExec): void {
  const { id } = exec.value;
  const end = exec.value.pid === 0 ? undefined : readExit(execExitPath(room, live, id));
  if (end === undefined || !exec.value.running) return;
  if (!exec.hub.isConnected) exec.hub.finish();
  void exec.hub.closed.then(() => {
    if (!exec.value.running) return;
    exec.value = { ...exec.value, running: false, exitCode: end.exitCode, pid: 0 };
    rmSync(join(room.paths.bundle(live.id).execs, id), { recursive: true, force: true });
    const attributes = { ...execAttributes(live, id), exitCode: String(end.exitCode) };
    room.events.publish('container', 'exec_die', live.id, attributes);
    exec.ended.resolve(end.exitCode);
  });
}

async function launch(
  room: Room,
  live: LiveContainer,
  exec: LiveExec,
  folder: string,
): Promise<{ readonly message: string; readonly exitCode: number } | undefined> {
  const { spec } = exec.value;
  const runtimeLog = join(folder, 'runc.log');
  const holder = holdProcess({
    conmonPath: room.conmonPath,
    runcPath: room.runcPath,
    runtimeRoot: room.paths.runtimeRoot,
    id: live.id,
    folder,
    pidFile: join(folder, 'pid'),
    runtimeLog,
    exits: folder,
    tty: spec.tty,
    stdin: spec.attachStdin,
    keepStdinOpen: false,
    log: undefined,
    exec: { processPath: join(folder, 'process.json'), waitForAttach: true },
  });
  await holder.attachable;
  try {
    exec.hub.connect(join(folder, 'attach'));
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ECONNREFUSED')) throw error;
  }
  holder.go();
  const pid = await holder.started;
  if (pid !== undefined) {
    exec.value = { ...exec.value, pid };
    return undefined;
  }
  await holder.ended;
  return startFailure('exec', lastRuntimeError(readText(runtimeLog)) ?? 'the runtime ended without a word');
}

/** Ends an exec that never ran; its reader gets the reason as output. */
function failed(exec: LiveExec, message: string, exitCode: number): Attachment {
  exec.hub.finish();
  exec.value = { ...exec.value, running: false, exitCode, pid: 0 };
  exec.ended.resolve(exitCode);
  const hub = new StreamHub({ closeStdinOnce: true });
  const attachment = hub.attach({ stdin: false });
  hub.say(`${message}\r\n`);
  hub.finish();
  return attachment;
}

function processOf(room: Room, live: LiveContainer, exec: ExecSpec): RuntimeProcess {
  const { spec } = live.record;
  const root = `/proc/${String(live.record.state.pid)}/root`;
  const user = resolveUser(exec.user === '' ? spec.user : exec.user, spec.additionalGroups, readUserDatabase(root));
  const capabilities = exec.privileged
    ? capabilityNames.filter((name) => room.host.capabilities.has(name))
    : resolveCapabilities(spec, room.host.capabilities);
  return {
    terminal: exec.tty,
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args: exec.args,
    env: resolveEnvironment({
      hostname: spec.hostname,
      tty: exec.tty,
      home: user.home,
      env: [...spec.env, ...exec.env],
    }),
    cwd: exec.cwd === '' ? spec.cwd || '/' : exec.cwd,
    capabilities: capabilitySets(capabilities),
    rlimits: resolveUlimits(spec.ulimits, room.host.hardLimits),
    noNewPrivileges: parseSecurityOptions(spec.securityOptions).noNewPrivileges,
    oomScoreAdj: spec.oomScoreAdj,
  };
}

export function requireExec(room: Room, id: string): { readonly exec: LiveExec; readonly live: LiveContainer } {
  const found = room.table.findExec(id);
  if (found === undefined) throw new StatusError('NotFound', `No such exec instance: ${id}`);
  if (room.table.find(found.live.id) === undefined) throw notRunning(found.live);
  return found;
}

function execAttributes(live: LiveContainer, execId: string): Readonly<Record<string, string>> {
  return { ...eventAttributes(live.record), execID: execId };
}

function forgetOld(room: Room, live: LiveContainer): void {
  for (const [id, exec] of live.execs) {
    if (live.execs.size < maxRemembered) return;
    if (exec.value.exitCode !== undefined) room.table.removeExec(live, id);
  }
  if (live.execs.size >= maxRemembered)
    throw new StatusError(
      'Unavailable',
      `Cannot exec in container "${live.record.name}": ${String(maxRemembered)} run already`,
    );
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  }
}
