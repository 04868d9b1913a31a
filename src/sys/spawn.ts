import { closeSync } from 'node:fs';
import { Socket } from 'node:net';

import { adoptSocket } from './adopted-socket.ts';
import { SystemError } from './errno.ts';
import { systemCall } from './ffi.ts';

export interface SpawnRequest {
  /** Absolute path of the program; its name is argument 0. */
  readonly path: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** How many sockets it gets as descriptors 3, 4, ...; 0 to 2 are /dev/null. */
  readonly sockets: number;
}

export interface SpawnedProcess {
  readonly pid: number;
  /** Our ends of descriptors 3, 4, ... */
  readonly sockets: readonly Socket[];
  /** Resolves when it ended and was reaped. Does not keep this process alive. */
  readonly ended: Promise<void>;
}

const unixDomain = 1;
const streamType = 1;
const closeOnExec = 0x8_0000;
const nonBlocking = 0x800;
const firstSocket = 3;
const pidfdOpen = 434;
const dontHang = 1;
/** Room for posix_spawn_file_actions_t (80 bytes) and posix_spawnattr_t (336) of glibc, on any machine. */
const structBytes = 1024;
const setSignalDefault = 0x04;
const setSignalMask = 0x08;
const signalSetBytes = 128;
const brokenPipe = 13;

const socketpair = systemCall('int socketpair(int domain, int type, int protocol, void *pair)');
const openPidfd = systemCall('long syscall(long number, int pid, unsigned int flags)');
const waitpid = systemCall('int waitpid(int pid, void *status, int options)');
const spawnCall = systemCall(
  'int posix_spawn(void *pid, const char *path, void *actions, void *attributes, const char **argv, const char **envp)',
);
const initActions = systemCall('int posix_spawn_file_actions_init(void *actions)');
const destroyActions = systemCall('int posix_spawn_file_actions_destroy(void *actions)');
const addOpen = systemCall(
  'int posix_spawn_file_actions_addopen(void *actions, int fd, const char *path, int flags, uint32_t mode)',
);
const addDup = systemCall('int posix_spawn_file_actions_adddup2(void *actions, int fd, int wanted)');
const addChdir = systemCall('int posix_spawn_file_actions_addchdir_np(void *actions, const char *path)');
const initAttributes = systemCall('int posix_spawnattr_init(void *attributes)');
const setDefaultSignals = systemCall('int posix_spawnattr_setsigdefault(void *attributes, const void *set)');
const setMask = systemCall('int posix_spawnattr_setsigmask(void *attributes, const void *set)');
const setFlags = systemCall('int posix_spawnattr_setflags(void *attributes, short flags)');

/**
 * Starts a program without copying this process: node:child_process forks, which costs a daemon with 100 MB some
 * milliseconds each time, and page faults afterwards; posix_spawn(3) shares the memory until the exec. Throws SystemError
 * (ENOENT, EACCES, ...) when the program cannot be executed.
 */
export function spawnProcess(request: SpawnRequest): SpawnedProcess {
  const pairs: SocketPair[] = [];
  try {
    for (let index = 0; index < request.sockets; index += 1) pairs.push(openPair(request.sockets));
    const pid = start(request, pairs);
    const ended = endOf(pid);
    return { pid, sockets: pairs.map((pair) => pair.take()), ended };
  } finally {
    for (const pair of pairs) pair[Symbol.dispose]();
  }
}

interface SocketPair extends Disposable {
  readonly theirs: number;
  take(): Socket;
}

function openPair(count: number): SocketPair {
  const pair = Buffer.alloc(8);
  socketpair('', unixDomain, streamType | closeOnExec, 0, pair);
  const [ours, theirs] = [pair.readInt32LE(0), pair.readInt32LE(4)];
  let socket: Socket | undefined;
  const dispose = (): void => {
    closeSync(theirs);
    if (socket === undefined) closeSync(ours);
  };
  // The low numbers belong to Node.js from its start on, so none of ours is in the way of the child's.
  if (theirs < firstSocket + count) throw new Error('invariant broken: descriptors of standard streams are free');
  const take = (): Socket => (socket = new Socket({ fd: ours, readable: true, writable: true, allowHalfOpen: true }));
  return { theirs, take, [Symbol.dispose]: dispose };
}

function start({ path, args, env, cwd }: SpawnRequest, pairs: readonly SocketPair[]): number {
  const [actions, attributes, pid] = [Buffer.alloc(structBytes), Buffer.alloc(structBytes), Buffer.alloc(4)];
  initActions(path, actions);
  try {
    for (const fd of [0, 1, 2]) addOpen(path, actions, fd, '/dev/null', fd === 0 ? 0 : 1, 0);
    for (const [index, { theirs }] of pairs.entries()) addDup(path, actions, theirs, firstSocket + index);
    addChdir(path, actions, cwd);
    initAttributes(path, attributes);
    // Node.js ignores SIGPIPE, which its children would inherit.
    setDefaultSignals(path, attributes, signalSet(brokenPipe));
    setMask(path, attributes, signalSet());
    setFlags(path, attributes, setSignalDefault | setSignalMask);
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const failure = spawnCall(path, pid, path, actions, attributes, [path, ...args, null], [...variables, null]);
    if (failure !== 0) throw new SystemError('posix_spawn', failure, path);
    return pid.readInt32LE(0);
  } finally {
    destroyActions(path, actions);
  }
}

function signalSet(...signals: readonly number[]): Buffer {
  const set = Buffer.alloc(signalSetBytes);
  for (const signal of signals) {
    const bit = signal - 1;
    set[bit >> 3] = (set[bit >> 3] ?? 0) | (1 << (bit & 7));
  }
  return set;
}

/** A pidfd becomes readable when its process ends; reading it is an error then, which is what we wait for. */
async function endOf(pid: number): Promise<void> {
  const { socket } = adoptSocket(openPidfd(String(pid), pidfdOpen, pid, nonBlocking), { writable: false });
  socket.unref();
  socket.on('error', () => {});
  await new Promise((resolve) => {
    socket.once('close', resolve);
    socket.resume();
  });
  waitpid(String(pid), pid, null, dontHang);
}
