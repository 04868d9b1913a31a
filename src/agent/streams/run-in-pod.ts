import { StatusError } from '#base/errors.ts';
import type { Engine } from '#engine/engine.ts';
import type { Attachment } from '#engine/runtime/containers.ts';
import { badRequest } from '#kube/status.ts';
import type { Container, Pod } from '#kube/types/gen/core-v1.ts';

import { latestOf } from '../lifecycle/pod-now.ts';
import { readPod } from '../pods/read-pod.ts';
import { channels, ChannelSocket } from './channel-socket.ts';
import type { WebSocketUpgrade } from './web-socket.ts';

type PodEngine = Pick<Engine, 'containers' | 'sandboxes'>;

/** What is to be done in a container of a pod (core/v1 PodExecOptions and PodAttachOptions). */
export interface StreamRequest {
  readonly kind: 'exec' | 'attach';
  readonly pod: Pod;
  readonly query: URLSearchParams;
}

/** Started, but not yet connected to the client. */
export interface OpenedStream {
  /** Carries bytes both ways until the program has ended, and says how. */
  carry(upgrade: WebSocketUpgrade, signal: AbortSignal): Promise<void>;
}

/**
 * Looks for the container and checks what is asked for. Throws BadRequest in upstream's words; after it nothing fails but by
 * the stream's own channel for errors.
 */
export function openStream(engine: PodEngine, request: StreamRequest): OpenedStream {
  const { query, pod, kind } = request;
  const name = containerOf(pod, query.get('container') ?? '');
  const run = latestOf(readPod(pod.metadata.uid ?? '', engine), name);
  if (run?.state !== 'running')
    throw badRequest(`container ${name} not found in pod ${pod.metadata.name ?? ''}: it does not run`);
  const wants = (what: string): boolean => ['true', '1'].includes(query.get(what) ?? '');
  const tty = wants('tty');
  const args = query.getAll('command');
  if (kind === 'exec' && args.length === 0) throw badRequest('you must specify at least 1 command for the container');
  return {
    carry: async (upgrade, signal) => {
      using socket = ChannelSocket.accept(upgrade);
      const target =
        kind === 'attach'
          ? attachTarget(engine, run.id)
          : execTarget(engine, run.id, { args, tty, stdin: wants('stdin') });
      try {
        await using attachment = await target.start(wants('stdin'), signal);
        // Who leaves a silent program is not waited for.
        const left = readInput(socket, attachment, target).then(
          () => undefined,
          () => undefined,
        );
        const output = attachment.output[Symbol.asyncIterator]();
        for (;;) {
          const next = await Promise.race([output.next(), left]);
          if (next === undefined) return;
          if (next.done === true) break;
          const { stream, bytes } = next.value;
          await socket.send(tty || stream === 'stdout' ? channels.stdout : channels.stderr, bytes, signal);
        }
        await socket.send(channels.error, await target.verdict(), signal);
      } catch (error) {
        signal.throwIfAborted();
        const message = error instanceof StatusError ? error.message : 'the stream failed';
        await socket.send(channels.error, failure('InternalError', message), signal);
        if (!(error instanceof StatusError)) throw error;
      }
    },
  };
}

interface Target {
  start(stdin: boolean, signal: AbortSignal): Promise<Attachment>;
  resize(rows: number, columns: number): Promise<void>;
  /** A Status that says how it ended. */
  verdict(): Promise<Buffer>;
}

function attachTarget({ containers }: PodEngine, id: string): Target {
  return {
    start: async (stdin, signal) => containers.attach(id, { stdin }, signal),
    resize: async (rows, columns) => containers.resize(id, rows, columns),
    verdict: async () => await Promise.resolve(success),
  };
}

function execTarget(
  { containers }: PodEngine,
  id: string,
  { args, tty, stdin }: { readonly args: readonly string[]; readonly tty: boolean; readonly stdin: boolean },
): Target {
  const spec = { args, env: [], cwd: '', user: '', tty, attachStdin: stdin, privileged: false };
  const exec = containers.createExec(id, spec);
  return {
    start: async (_, signal) => containers.startExec(exec.id, { detach: false }, signal),
    resize: async (rows, columns) => containers.resizeExec(exec.id, rows, columns),
    verdict: async () => {
      const { exitCode = 0 } = await Promise.resolve(containers.exec(exec.id));
      if (exitCode === 0) return success;
      const details = { causes: [{ reason: 'ExitCode', message: String(exitCode) }] };
      return failure(
        'NonZeroExitCode',
        `command terminated with non-zero exit code: exit status ${String(exitCode)}`,
        details,
      );
    },
  };
}

const success = Buffer.from(JSON.stringify({ metadata: {}, status: 'Success' }));

function failure(reason: string, message: string, details?: object): Buffer {
  return Buffer.from(JSON.stringify({ metadata: {}, status: 'Failure', message, reason, ...(details && { details }) }));
}

/** Hands on what the client types and how large its window is, until it goes. */
async function readInput(socket: ChannelSocket, attachment: Attachment, target: Target): Promise<void> {
  for await (const message of socket.messages()) {
    if ('ended' in message) {
      if (message.ended === channels.stdin) attachment.closeStdin();
    } else if (message.channel === channels.stdin) await attachment.write(message.data);
    else if (message.channel === channels.resize) await resize(target, message.data);
  }
}

async function resize(target: Target, data: Buffer): Promise<void> {
  const { Width: columns, Height: rows } = sizeOf(data);
  // The program may have ended meanwhile.
  if (Number.isInteger(columns) && Number.isInteger(rows))
    await target.resize(Number(rows), Number(columns)).catch(() => {});
}

function sizeOf(data: Buffer): { Width?: unknown; Height?: unknown } {
  try {
    const value: unknown = JSON.parse(data.toString('utf8'));
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

const defaultContainer = 'kubectl.kubernetes.io/default-container';

function containerOf({ metadata, spec = {} }: Pod, wanted: string): string {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = spec;
  const names = (all: readonly Pick<Container, 'name'>[]): readonly string[] => all.map(({ name = '' }) => name);
  if (wanted === '') {
    const preferred = metadata.annotations?.[defaultContainer];
    const first = names(containers).find((one) => one === preferred) ?? names(containers)[0] ?? '';
    if (containers.length === 1 || preferred === first) return first;
    throw badRequest(
      `a container name must be specified for pod ${metadata.name ?? ''}, choose one of: [${names(containers).join(' ')}]`,
    );
  }
  if (names([...containers, ...initContainers, ...ephemeralContainers]).includes(wanted)) return wanted;
  throw badRequest(`container ${wanted} is not valid for pod ${metadata.name ?? ''}`);
}
