import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { newId } from '#base/ids.ts';
import { hasCode } from '#sys/errno.ts';

import { holdProcess } from './conmon.ts';
import type { Attachment, Exec, ExecSpec, OutputChunk } from './containers.ts';
import { execExitPath, execFolder, readExit } from './end-run.ts';
import { noteExec } from './exec-notes.ts';
import { readUserDatabase } from './image-users.ts';
import { presentLinks } from './links.ts';
import { eventAttributes, type LiveContainer, type LiveExec, newLiveExec, notRunning } from './live-container.ts';
import { runtimeOf } from './record.ts';
import type { Room } from './room.ts';
import { capabilitySets, encodeSpec } from './spec/build-spec.ts';
import { capabilityNames, resolveCapabilities } from './spec/capabilities.ts';
import { resolveEnvironment } from './spec/environment.ts';
import type { RuntimeProcess } from './spec/runtime-spec.ts';
import { parseSecurityOptions } from './spec/security-options.ts';
import { resolveUlimits } from './spec/ulimits.ts';
import { resolveUser } from './spec/user.ts';
import { inRuncsWords, lastRuntimeError, lastWords, type StartFailure, startFailure } from './start-failure.ts';
import { StreamHub } from './stream-hub.ts';
import { settlesWithin } from './waiting.ts';

/** Execs of one container that are remembered; older ones that ended are forgotten. */
const maxRemembered = 256;
const neverStartedCode = 126;
const lostExitCode = 255;
/** A reader of the output that is slower than this does not hold the exit status back. */
const outputMs = 2_000;

/** Registers a program to run in a container. Throws Conflict unless it runs. */
export function createExec(room: Room, live: LiveContainer, spec: ExecSpec): Exec {
  const { status } = live.record.state;
  if (status === 'paused')
    throw new StatusError('Conflict', `Container ${live.id} is paused, unpause the container before exec`);
  if (status !== 'running') throw new StatusError('Conflict', `container ${live.id} is not running`);
  forgetOld(room, live);
  const value: Exec = { id: newId(), containerId: live.id, spec, running: false, exitCode: undefined, pid: 0 };
  room.table.addExec(live, newLiveExec(value));
  room.events.publish('container', `exec_create: ${spec.args.join(' ')}`, live.id, execAttributes(live, value.id));
  return value;
}

/**
 * Starts it; all its output goes to the attachment that is returned (none when detached). Throws Conflict when it was
 * started before, and InvalidArgument for a user that is not there; then it has an exit code, too. A program that cannot
 * be started says why as output, or by InvalidArgument when detached.
 */
export async function startExec(
  room: Room,
  live: LiveContainer,
  exec: LiveExec,
  options: { readonly detach: boolean },
): Promise<Attachment> {
  const { id, spec } = exec.value;
  if (exec.value.running || exec.value.exitCode !== undefined)
    throw new StatusError('Conflict', `Error: Exec command ${id} has already run`);
  exec.value = { ...exec.value, running: true };
  const attachment = options.detach ? noAttachment() : exec.hub.attach({ stdin: spec.attachStdin });
  const folder = execFolder(room, live, id);
  room.events.publish('container', `exec_start: ${spec.args.join(' ')}`, live.id, execAttributes(live, id));
  try {
    const process = processOf(room, live, spec);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, 'process.json'), encodeSpec(process), { mode: 0o600 });
    watchExec(room, live, exec);
    const failure = await launch(room, live, exec, folder, !options.detach);
    if (failure === undefined) {
      takeExecExit(room, live, exec);
      return options.detach ? attachment : withExit(attachment, exec);
    }
    failed(room, live, exec, failure.exitCode);
    if (options.detach) throw new StatusError('InvalidArgument', failure.message);
    return noAttachment(`${failure.message}\r\n`);
  } catch (error) {
    if (exec.value.running) failed(room, live, exec, neverStartedCode);
    throw error;
  }
}

/** The attachment with an output that ends when the exit code is known: clients ask for it right then. */
function withExit(attachment: Attachment, exec: LiveExec): Attachment {
  async function* output(): AsyncGenerator<OutputChunk, void, undefined> {
    yield* attachment.output;
    await exec.ended.promise;
  }
  return { ...attachment, output: output() };
}

/** Tells when conmon writes the exit code of an exec that runs. */
export function watchExec(room: Room, live: LiveContainer, exec: LiveExec): void {
  const folder = execFolder(room, live, exec.value.id);
  exec.watch = room.arrivals.watch(folder, () => takeExecExit(room, live, exec));
}

/** Takes up that an exec's program ended, once conmon has said so; `isLost`: conmon says nothing any more. */
export function takeExecExit(room: Room, live: LiveContainer, exec: LiveExec, isLost = false): void {
  const { id, pid, running } = exec.value;
  const code = readExit(execExitPath(room, live, id))?.exitCode ?? (isLost ? lostExitCode : undefined);
  if (pid === 0 || code === undefined || !running) return;
  if (!exec.hub.isConnected) exec.hub.finish();
  void settlesWithin(exec.hub.delivered, outputMs, room.signal)
    .catch(() => {})
    .then(() => endExec(room, live, exec, code));
}

function endExec(room: Room, live: LiveContainer, exec: LiveExec, exitCode: number): void {
  // The container's end may have been quicker.
  if (!exec.value.running || room.signal.aborted) return;
  const { id } = exec.value;
  exec.value = { ...exec.value, running: false, exitCode, pid: 0 };
  exec.watch?.[Symbol.dispose]();
  room.events.publish('container', 'exec_die', live.id, { ...execAttributes(live, id), exitCode: String(exitCode) });
  exec.ended.resolve(exitCode);
  // Nobody waits for that; what is left by a crash goes with the container.
  rm(execFolder(room, live, id), { recursive: true, force: true }).catch((error: unknown) =>
    room.logger.warn('files of an exec cannot be removed', { container: live.id, exec: id, error }),
  );
}

async function launch(
  room: Room,
  live: LiveContainer,
  exec: LiveExec,
  folder: string,
  attaches: boolean,
): Promise<StartFailure | undefined> {
  const { spec } = exec.value;
  const runtimeLog = join(folder, 'runtime.log');
  const holder = holdProcess({
    conmonPath: room.conmonPath,
    runtime: room.runtimes.get(runtimeOf(live.record)),
    id: live.id,
    folder,
    pidFile: join(folder, 'pid'),
    runtimeLog,
    exits: folder,
    tty: spec.tty,
    stdin: spec.attachStdin,
    keepStdinOpen: false,
    log: undefined,
    exec: { processPath: join(folder, 'process.json'), waitForAttach: attaches },
  });
  await holder.attachable;
  exec.hub.serve(join(folder, 'attach'));
  holder.go();
  const { pid, text } = await holder.started;
  if (pid !== undefined) {
    exec.value = { ...exec.value, pid };
    noteExec(room, live, exec, holder.identity);
    void holder.ended.then(() => takeExecExit(room, live, exec, true));
    return undefined;
  }
  await holder.ended;
  const message = lastRuntimeError(readText(runtimeLog)) ?? lastWords(text);
  return startFailure('exec', inRuncsWords('exec', message, spec.args[0] ?? ''));
}

/** Ends an exec that never ran. */
function failed(room: Room, live: LiveContainer, exec: LiveExec, exitCode: number): void {
  exec.hub.finish();
  exec.watch?.[Symbol.dispose]();
  exec.value = { ...exec.value, running: false, exitCode, pid: 0 };
  rmSync(execFolder(room, live, exec.value.id), { recursive: true, force: true });
  exec.ended.resolve(exitCode);
}

/** An attachment to nothing, which says one thing at most. */
function noAttachment(text = ''): Attachment {
  const hub = new StreamHub({ closeStdinOnce: false });
  const attachment = hub.attach({ stdin: false });
  if (text !== '') hub.say(text);
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
      env: [...presentLinks(room, live.record), ...spec.env, ...exec.env],
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
