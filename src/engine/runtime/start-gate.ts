import { closeSync, constants, openSync, readFileSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';

import { StatusError } from '#base/errors.ts';
import { hasCode } from '#sys/errno.ts';
import { isAlive, type ProcessIdentity } from '#sys/process.ts';

import { comesTrue } from './waiting.ts';

const lookAgainMs = 20;
/** Behind the gate the program follows at once. */
const lookForProgramMs = 1;
/** The process is at the gate within a moment; more means that the machine stands still. */
const patienceMs = 60_000;
/** What runc calls a container's first process until it is the container's program. */
const waitingCommand = 'runc:[2:INIT]';

/**
 * Lets the program of a created container begin: its first process waits until somebody reads its fifo, which is all that
 * `runc start` does (runc, libcontainer/container_linux.go, exec). Resolves when the program runs or the process is gone
 * (its exit tells then): a signal before that would meet runc, which answers with an exit code of its own. Throws Unavailable
 * when it does not come to the gate.
 */
export async function openGate(path: string, init: ProcessIdentity): Promise<void> {
  await openUnless(path, () => !isAlive(init));
  await comesTrue(() => !isAtGate(init), lookForProgramMs, patienceMs);
}

/** Lets a program begin whose start was cut off, when it has not begun already. */
export async function openForgottenGate(path: string, init: ProcessIdentity): Promise<void> {
  await openUnless(path, () => !isAtGate(init));
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
