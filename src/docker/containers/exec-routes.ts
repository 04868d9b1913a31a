import { StatusError, messageOf, reasonOf } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type { Container } from '#engine/runtime/container.ts';
import type { Exec } from '#engine/runtime/containers.ts';

import type { Context } from '../context.ts';
import { speaks } from '../http/api-version.ts';
import type { Call } from '../http/call.ts';
import type { Connection } from '../http/connection.ts';
import { flag, integer, listOf, objectOf, text, textOrList } from '../http/decode.ts';
import { frame } from '../http/frames.ts';
import type { Reply } from '../http/reply.ts';
import { empty, hijack, json } from '../http/reply.ts';
import type { Route } from '../http/route.ts';
import { parseDetachKeys } from './detach-keys.ts';
import { windowSize } from './lifecycle.ts';
import { streamAttachment, streamType } from './stream-attachment.ts';

const createRequest = objectOf({
  User: text,
  Privileged: flag,
  Tty: flag,
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  ConsoleSize: listOf(integer),
  DetachKeys: text,
  Env: listOf(text),
  WorkingDir: text,
  Cmd: textOrList,
});

const startRequest = objectOf({ Detach: flag, Tty: flag, ConsoleSize: listOf(integer) });

/** What Docker's face keeps in `ExecSpec.origin`. */
interface ExecOrigin {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly detachKeys: string;
}

export function execRoutes(context: Context): readonly Route[] {
  const { containers } = context.engine;
  return [
    { method: 'POST', path: '/containers/{id}/exec', handle: (call) => create(context, call) },
    {
      method: 'POST',
      path: '/exec/{id}/start',
      hijacks: true,
      handle: (call, signal) => start(context, call, signal),
    },
    {
      method: 'POST',
      path: '/exec/{id}/resize',
      handle: async (call) => {
        const { rows, columns } = windowSize(call.query);
        await containers.resizeExec(idOf(call), rows, columns);
        return empty(200);
      },
    },
    { method: 'GET', path: '/exec/{id}/json', handle: (call) => json(execBody(containers.exec(idOf(call)))) },
  ];
}

async function create({ engine }: Context, call: Call): Promise<Reply> {
  const request = await call.body.json(createRequest);
  const container = engine.containers.get(idOf(call));
  const args = request.Cmd ?? [];
  if (args.length === 0) throw new StatusError('InvalidArgument', 'No exec command specified');
  parseDetachKeys(request.DetachKeys ?? '');
  checkRuns(container);
  const origin: ExecOrigin = {
    stdout: request.AttachStdout ?? false,
    stderr: request.AttachStderr ?? false,
    detachKeys: request.DetachKeys ?? '',
  };
  const exec = engine.containers.createExec(container.id, {
    args,
    env: request.Env ?? [],
    cwd: request.WorkingDir ?? '',
    user: request.User ?? '',
    tty: request.Tty ?? false,
    attachStdin: request.AttachStdin ?? false,
    privileged: request.Privileged ?? false,
    origin,
  });
  return json({ Id: exec.id }, 201);
}

async function start({ engine }: Context, call: Call, signal: AbortSignal): Promise<Reply> {
  const { containers } = engine;
  const request = await call.body.json(startRequest);
  const exec = containers.exec(idOf(call));
  const detach = request.Detach ?? false;
  if (exec.running) throw new StatusError('Conflict', `Error: Exec command ${exec.id} is already running`);
  if (exec.exitCode !== undefined) {
    throw new StatusError('Conflict', `Error: Exec command ${exec.id} has already run`);
  }
  checkRuns(containers.get(exec.containerId));
  if (detach) {
    await using _ = await containers.startExec(exec.id, { detach }, signal);
    return empty(200);
  }
  const { tty, attachStdin } = exec.spec;
  const { stdout, stderr, detachKeys } = originOf(exec);
  const streams = { tty, stdin: attachStdin, stdout: stdout || tty, stderr, detachKeys: parseDetachKeys(detachKeys) };
  // It starts once the head has left: clients that read head and output at once lose what comes with the head.
  return hijack(streamType(tty, call.version), async (connection) => {
    const started = containers.startExec(exec.id, { detach }, signal);
    await using attachment = await started.catch((error: unknown) => sayFailure(connection, tty, error));
    if (attachment === undefined) return;
    const [rows = 0, columns = 0] = request.ConsoleSize ?? [];
    // The command may be over already.
    if (tty && speaks(call.version, 42) && rows > 0 && columns > 0)
      await containers.resizeExec(exec.id, rows, columns).catch(() => {});
    await streamAttachment(connection, attachment, streams, signal);
  });
}

/** Why an exec did not start, as Docker says it when the head has left; the exit code follows with inspect. */
async function sayFailure(connection: Connection, tty: boolean, error: unknown): Promise<undefined> {
  if (reasonOf(error) === 'Internal') throw error;
  const bytes = Buffer.from(`${messageOf(error)}\r\n`);
  await connection.write(tty ? bytes : frame({ stream: 'stdout', bytes }));
}

/** GET /exec/{id}/json. */
function execBody(exec: Exec): object {
  const { args, tty, user, privileged, attachStdin } = exec.spec;
  const { stdout, stderr, detachKeys } = originOf(exec);
  return {
    ID: exec.id,
    Running: exec.running,
    ExitCode: exec.exitCode ?? null,
    ProcessConfig: { tty, entrypoint: args[0] ?? '', arguments: args.slice(1), privileged, user },
    OpenStdin: attachStdin,
    OpenStdout: stdout,
    OpenStderr: stderr,
    CanRemove: false,
    ContainerID: exec.containerId,
    DetachKeys: Buffer.from(parseDetachKeys(detachKeys)).toString('base64'),
    Pid: exec.pid,
  };
}

function originOf({ spec }: Exec): ExecOrigin {
  return isObject(spec.origin)
    ? (spec.origin as unknown as ExecOrigin)
    : { stdout: true, stderr: true, detachKeys: '' };
}

function checkRuns({ id, state }: Container): void {
  if (state.status === 'paused') {
    throw new StatusError('Conflict', `Container ${id} is paused, unpause the container before exec`);
  }
  if (state.status === 'restarting') {
    throw new StatusError('Conflict', `Container ${id} is restarting, wait until the container is running`);
  }
  if (state.status !== 'running') throw new StatusError('Conflict', `container ${id} is not running`);
}

function idOf(call: Call): string {
  return call.params['id'] ?? '';
}
