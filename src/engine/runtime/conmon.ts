import type { Socket } from 'node:net';

import { isObject } from '#base/json.ts';
import { identify, type ProcessIdentity } from '#sys/process.ts';
import { spawnProcess } from '#sys/spawn.ts';

import type { OciRuntime } from './oci-runtimes.ts';

/** What conmon is to hold: a container that it creates, or a program in a container that runs. */
export interface HoldRequest {
  readonly conmonPath: string;
  readonly runtime: OciRuntime;
  /** The container. */
  readonly id: string;
  /** Folder for the attach socket, the control fifo and the files below. */
  readonly folder: string;
  readonly pidFile: string;
  readonly runtimeLog: string;
  /** Folder in which a file named `id` with the exit code appears at the end. */
  readonly exits: string;
  readonly tty: boolean;
  readonly stdin: boolean;
  /** Keep stdin open when an attached client leaves. */
  readonly keepStdinOpen: boolean;
  /** File to write output to; undefined: it is not kept. */
  readonly log: { readonly path: string; readonly maxSizeBytes: number } | undefined;
  /** For a program in a running container: the path of its process spec. */
  readonly exec?: { readonly processPath: string; readonly waitForAttach: boolean };
}

/** A conmon that was started. It outlives this process. */
export interface Holder {
  readonly identity: ProcessIdentity | undefined;
  /** Process ID of what it holds; undefined when the runtime failed: then its log says why, or `text`, what it printed. */
  readonly started: Promise<{ readonly pid: number | undefined; readonly text: string }>;
  /** With `waitForAttach`: resolves when the attach socket is there. */
  readonly attachable: Promise<void>;
  /** With `waitForAttach`: lets the program begin. */
  go(): void;
  /** Resolves when conmon ended. */
  readonly ended: Promise<void>;
}

const syncFd = 3;
const startFd = 4;
const attachFd = 5;

const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', TZ: 'UTC' };

/** Starts conmon, which starts the runtime. Throws SystemError when conmon cannot be executed. */
export function holdProcess(request: HoldRequest): Holder {
  const waits = request.exec?.waitForAttach === true;
  const { pid, sockets, ended } = spawnProcess({
    path: request.conmonPath,
    args: conmonArguments(request),
    cwd: request.folder,
    env: {
      ...environment,
      ...request.runtime.env,
      _OCI_SYNCPIPE: String(syncFd),
      ...(waits && { _OCI_STARTPIPE: String(startFd), _OCI_ATTACHPIPE: String(attachFd) }),
    },
    sockets: waits ? 3 : 1,
  });
  const [sync, start, attach] = sockets;
  for (const socket of sockets) socket.on('error', () => {});
  // conmon waits for a first message before it does anything, and for a second one before it lets the program begin.
  start?.write('1');
  const started = firstMessage(sync).then(({ data, message }) => {
    // It lives as long as the container: nothing for this process to stay alive for.
    sync?.destroy();
    return { pid: data > 0 ? data : undefined, text: message };
  });
  return {
    identity: identify(pid),
    started,
    attachable: firstMessage(attach).then(() => {}),
    go: () => start?.end('1'),
    ended,
  };
}

function conmonArguments(request: HoldRequest): readonly string[] {
  const runtimeArguments = [
    `--root=${request.runtime.root}`,
    `--log=${request.runtimeLog}`,
    '--log-format=json',
  ].flatMap((argument) => ['--runtime-arg', argument]);
  return [
    '--api-version=1',
    '--sync',
    '--full-attach',
    '--no-sync-log',
    `--cid=${request.id}`,
    `--cuuid=${request.id}`,
    `--runtime=${request.runtime.program.path}`,
    ...runtimeArguments,
    `--bundle=${request.folder}`,
    `--container-pidfile=${request.pidFile}`,
    `--exit-dir=${request.exits}`,
    ...(request.tty ? ['--terminal'] : []),
    ...(request.stdin ? ['--stdin'] : []),
    ...(request.stdin && request.keepStdinOpen ? ['--leave-stdin-open'] : []),
    ...(request.log === undefined
      ? ['--log-path', 'none']
      : ['--log-path', `k8s-file:${request.log.path}`, '--log-size-max', String(request.log.maxSizeBytes)]),
    ...(request.exec === undefined ? [] : ['--exec', '--exec-process-spec', request.exec.processPath]),
    ...(request.exec?.waitForAttach === true ? ['--exec-attach'] : []),
  ];
}

interface Message {
  readonly data: number;
  readonly message: string;
}

const noMessage: Message = { data: -1, message: '' };
/** conmon's messages are short; what the runtime printed is cut at 8 KiB in them. */
const longestMessage = 64 * 1024;

/** conmon's first JSON line on a pipe; a negative number when the pipe ends without one. */
function firstMessage(pipe: Socket | undefined): Promise<Message> {
  if (pipe === undefined) return Promise.resolve(noMessage);
  return new Promise((resolve) => {
    let text = '';
    pipe.setEncoding('utf8');
    pipe.on('data', (piece: string) => {
      if (text.length < longestMessage) text += piece;
      if (text.includes('\n')) resolve(parseMessage(text.slice(0, text.indexOf('\n'))));
    });
    pipe.once('close', () => resolve(noMessage));
    pipe.once('end', () => resolve(noMessage));
  });
}

function parseMessage(line: string): Message {
  try {
    const value: unknown = JSON.parse(line);
    if (!isObject(value)) return noMessage;
    const data = value['data'] ?? value['pid'];
    const { message } = value;
    return { data: typeof data === 'number' ? data : -1, message: typeof message === 'string' ? message : '' };
  } catch {
    return noMessage;
  }
}
