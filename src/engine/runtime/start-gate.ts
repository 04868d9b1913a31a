import { closeSync, constants, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { hasCode } from '#sys/errno.ts';
import { isAlive, type ProcessIdentity } from '#sys/process.ts';

import type { Bundle } from './bundle.ts';
import type { OciRuntime, RuntimeName } from './oci-runtimes.ts';
import { comesTrue } from './waiting.ts';

const lookAgainMs = 20;
/** Behind the gate the program follows at once. */
const lookForProgramMs = 1;
/** The process is at the gate within a moment; more means that the machine stands still. */
const patienceMs = 60_000;
/** What runc calls a container's first process until it is the container's program. */
const waitingCommand = 'runc:[2:INIT]';

type Gate = Pick<Bundle, 'runtimeState'>;

/**
 * Lets the program of a created container begin: its first process waits at a fifo, and opening that is all that `start` of
 * a runtime does. runc's waits for a reader (libcontainer/container_linux.go, exec), crun's for a byte
 * (libcrun/container.c). Resolves when the program runs or the process is gone (its exit tells then): a signal before that
 * would meet the runtime, which answers with an exit code of its own or not at all. Throws Unavailable when it does not
 * come to the gate.
 */
export async function openGate(gate: Gate, { name, program }: OciRuntime, init: ProcessIdentity): Promise<void> {
  const path = fifoOf(gate, name);
  if (name === 'crun') {
    writeOne(path);
    const { dev, ino } = statSync(program.path);
    await comesTrue(() => !runsFile(init, dev, ino), lookForProgramMs, patienceMs);
    return;
  }
  await openUnless(path, () => !isAlive(init));
  await comesTrue(() => !isAtGate(init), lookForProgramMs, patienceMs);
}

/** Lets a program begin whose start was cut off, when it has not begun already. */
export async function openForgottenGate(gate: Gate, name: RuntimeName, init: ProcessIdentity): Promise<void> {
  const path = fifoOf(gate, name);
  if (name === 'crun') writeOne(path);
  else await openUnless(path, () => !isAtGate(init));
}

function fifoOf({ runtimeState }: Gate, name: RuntimeName): string {
  return join(runtimeState[name], 'exec.fifo');
}

/** Without a reader the program has begun, or is gone. The fifo goes after the byte, so that it can be written again. */
function writeOne(path: string): void {
  let fd: number;
  try {
    fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENXIO')) return;
    throw error;
  }
  try {
    writeSync(fd, '0');
  } finally {
    closeSync(fd);
  }
  rmSync(path, { force: true });
}

/** Whether a process still runs this program. */
function runsFile(init: ProcessIdentity, dev: number, ino: number): boolean {
  if (!isAlive(init)) return false;
  try {
    const running = statSync(`/proc/${String(init.pid)}/exe`);
    return running.dev === dev && running.ino === ino;
  } catch {
    return false;
  }
}

async function openUnless(path: string, isPast: () => boolean): Promise<void> {
  let fd: number;
  try {
    // Without waiting for the other side, which may never come.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  if (!(await readOne(fd, isPast)))
    throw new StatusError('Unavailable', 'Cannot start the container: its process does not come up; try again');
  rmSync(path, { force: true });
}

/** Whether a container's first process still waits for its program to be let in. */
function isAtGate(init: ProcessIdentity): boolean {
  if (!isAlive(init)) return false;
  try {
    return readFileSync(`/proc/${String(init.pid)}/comm`, 'utf8').trim() === waitingCommand;
  } catch {
    return false;
  }
}

async function readOne(fd: number, isPast: () => boolean): Promise<boolean> {
  let done = false;
  let socket: Socket;
  try {
    socket = new Socket({ fd, readable: true, writable: false });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  const { promise, resolve } = Promise.withResolvers<void>();
  const finish = (): void => {
    done = true;
    resolve();
  };
  socket.once('data', finish);
  socket.once('error', finish);
  try {
    await Promise.race([promise, comesTrue(() => done || isPast(), lookAgainMs, patienceMs)]);
    return done || isPast();
  } finally {
    socket.destroy();
    finish();
  }
}
