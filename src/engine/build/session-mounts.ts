import { posix } from 'node:path';

import { StatusError } from '#base/errors.ts';
import type { JsonValue } from '#base/json.ts';
import type { RunInstruction } from '#formats/dockerfile/dockerfile.ts';
import { parseRunMount, type RunMount } from '#formats/dockerfile/run-mount.ts';
import type { BuildJob } from './build-job.ts';
import type { SecretFile, StepMount } from './builder.ts';
import { mountTarget } from './run-mounts.ts';
import { openAgentSocket } from './ssh-agent-socket.ts';

/** A mount of RUN that the client's session fills; `key` is its part of the step's key, and knows no content. */
export interface SessionMount {
  readonly type: 'secret' | 'ssh';
  readonly id: string;
  /** '' for a secret that is only a variable. */
  readonly target: string;
  readonly env: string;
  readonly required: boolean;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly key: JsonValue;
}

/** What a step gets of the session. */
export interface OpenedSession {
  readonly mounts: readonly StepMount[];
  readonly secretFiles: readonly SecretFile[];
  readonly secretEnv: readonly string[];
}

/** BuildKit's limit of one secret. */
const maxSecretBytes = 500 * 1024;
const secretFolder = '/run/secrets';
const defaultSecretMode = 0o400;
const defaultSocketMode = 0o600;

/** The secrets and SSH agents that a RUN asks for, as BuildKit's front end names their places. */
export function planSessionMounts(
  { mounts }: RunInstruction,
  { cwd, expand }: { readonly cwd: string; readonly expand: (text: string) => string },
): readonly SessionMount[] {
  const asked = mounts.map((text) => parseRunMount(text, expand));
  const secrets = asked.filter(({ type }) => type === 'secret').map((mount) => secretMount(mount, cwd));
  const agents = asked.filter(({ type }) => type === 'ssh').map((mount, index) => agentMount(mount, index, cwd));
  return [...secrets, ...agents];
}

/**
 * Asks the client for what the mounts need; sockets are owned by the stack. What is not required and not there is left
 * away. Throws NotFound for what is required.
 */
export async function openSessionMounts(
  { request: { session }, folder }: BuildJob,
  planned: readonly SessionMount[],
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<OpenedSession> {
  const opened = { mounts: [] as StepMount[], secretFiles: [] as SecretFile[], secretEnv: [] as string[] };
  for (const { type, id, target, env, required, mode, uid, gid } of planned) {
    if (type === 'ssh') {
      if (session === undefined || !(await session.hasSshAgent(id, signal))) {
        if (required) throw new StatusError('NotFound', noAgent(id));
        continue;
      }
      const connect = async (signal: AbortSignal) => await session.connectSshAgent(id, signal);
      const path = await openAgentSocket(folder, { connect, mode, uid, gid }, stack, signal);
      if (opened.mounts.length === 0) opened.secretEnv.push(`SSH_AUTH_SOCK=${target}`);
      opened.mounts.push({ type: 'bind', source: path, target, readOnly: true });
      continue;
    }
    const bytes = await session?.secret(id, signal);
    if (bytes === undefined) {
      if (required)
        throw new StatusError('NotFound', `secret ${id}: not found; give it by --secret id=${id},src=<file>`);
      continue;
    }
    if (bytes.length > maxSecretBytes)
      throw new StatusError('TooLarge', `secret ${id}: it has more than ${String(maxSecretBytes)} bytes`);
    if (target !== '') opened.secretFiles.push({ target, bytes, mode, uid, gid });
    if (env !== '') opened.secretEnv.push(`${env}=${textOf(id, bytes)}`);
  }
  return opened;
}

function secretMount(mount: RunMount, cwd: string): SessionMount {
  const { env, required, mode = defaultSecretMode, uid = 0, gid = 0 } = mount;
  const id = [mount.source, mount.id, posix.basename(mount.target)].find((name) => name !== '') ?? '';
  const implied = env === '' ? `${secretFolder}/${posix.basename(id)}` : '';
  const target = mount.target === '' ? implied : mountTarget(mount.target, cwd);
  const owned = { required, mode, uid, gid };
  return { type: 'secret', id, target, env, ...owned, key: ['secret', id, target, env, mode, uid, gid] };
}

function agentMount(mount: RunMount, index: number, cwd: string): SessionMount {
  const { required, mode = defaultSocketMode, uid = 0, gid = 0 } = mount;
  const id = [mount.source, mount.id].find((name) => name !== '') ?? 'default';
  const target = mountTarget(mount.target === '' ? `/run/buildkit/ssh_agent.${String(index)}` : mount.target, cwd);
  const owned = { required, mode, uid, gid };
  return { type: 'ssh', id, target, env: '', ...owned, key: ['ssh', id, target, mode, uid, gid] };
}

function textOf(id: string, bytes: Uint8Array): string {
  if (!bytes.includes(0)) return Buffer.from(bytes).toString('utf8');
  throw new StatusError('InvalidArgument', `secret ${id}: it has a zero byte, which no environment variable can hold`);
}

function noAgent(id: string): string {
  return `unset ssh forward key ${id}: no SSH agent "${id}" is forwarded from the client; give it by --ssh ${id}`;
}
