import { chmodSync, chownSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { addAbortSignal, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Connections to one agent at a time. */
const maxConnections = 64;

/**
 * A socket in a folder of its own below `folder` that leads each connection to the client's agent; returns its path. The
 * stack owns it. It is bound by a name in /proc, since paths of sockets end at 107 bytes.
 */
export async function openAgentSocket(
  folder: string,
  agent: {
    readonly connect: (signal: AbortSignal) => Promise<Duplex>;
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
  },
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<string> {
  const own = await mkdtemp(join(folder, 'ssh-'));
  stack.defer(() => rm(own, { recursive: true, force: true }));
  const handle = await open(own);
  stack.defer(() => handle.close());
  const ended = new AbortController();
  const either = AbortSignal.any([signal, ended.signal]);
  const server = createServer({ allowHalfOpen: true }, (socket) => void carry(socket, agent.connect, either));
  server.maxConnections = maxConnections;
  server.listen(`/proc/self/fd/${String(handle.fd)}/agent`);
  await once(server, 'listening');
  stack.defer(async () => {
    ended.abort(new Error('the step has ended'));
    await server[Symbol.asyncDispose]();
  });
  const path = join(own, 'agent');
  chownSync(path, agent.uid, agent.gid);
  chmodSync(path, agent.mode);
  return path;
}

/** Whoever ends first ends both: what failed shows to the program as a closed connection, as with a real agent. */
async function carry(
  socket: Socket,
  connect: (signal: AbortSignal) => Promise<Duplex>,
  signal: AbortSignal,
): Promise<void> {
  socket.on('error', () => {});
  addAbortSignal(signal, socket);
  try {
    const agent = await connect(signal);
    agent.on('error', () => {});
    await Promise.all([pipeline(socket, agent), pipeline(agent, socket)]);
  } catch {
    socket.destroy();
  }
}
