import { StatusError } from '#base/errors.ts';
import type { Container } from '#engine/runtime/container.ts';

import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import type { Connection } from '../http/connection.ts';
import type { Reply } from '../http/reply.ts';
import { hijack } from '../http/reply.ts';
import { parseDetachKeys } from './detach-keys.ts';
import { logBytes } from './logs.ts';
import { streamAttachment, streamType } from './stream-attachment.ts';

/** POST /containers/{id}/attach: what was logged (`logs`), then the live streams (`stream`). */
export async function attachReply({ engine }: Context, call: Call, signal: AbortSignal): Promise<Reply> {
  const { query } = call;
  const container = engine.containers.get(call.params['id'] ?? '');
  const { tty, openStdin } = container.spec;
  const streams = { stdout: query.flag('stdout'), stderr: query.flag('stderr') };
  const stdin = query.flag('stdin') && openStdin;
  const detachKeys = parseDetachKeys(query.text('detachKeys'));
  const replay = async (connection: Connection): Promise<void> => {
    if (!query.flag('logs')) return;
    const log = { ...streams, follow: false };
    for await (const bytes of logBytes(engine, container, log, {}, signal)) await connection.write(bytes);
  };
  const type = streamType(tty, call.version);
  if (!query.flag('stream')) return hijack(type, replay);
  checkAttachable(container);
  const attachment = await engine.containers.attach(container.id, { stdin }, signal);
  return hijack(type, async (connection) => {
    await using owned = attachment;
    await replay(connection);
    const end = await streamAttachment(connection, owned, { tty, stdin, ...streams, detachKeys }, signal);
    if (end === 'detached' && !signal.aborted)
      engine.events.publish('container', 'detach', container.id, actor(container));
  });
}

/** The attributes that Docker gives to events of a container. */
export function actor({ name, spec }: Container): Readonly<Record<string, string>> {
  return { ...spec.labels, image: spec.imageName, name };
}

function checkAttachable({ id, state }: Container): void {
  if (state.status === 'paused') {
    throw new StatusError('Conflict', `Container ${id} is paused, unpause the container before attach.`);
  }
  if (state.status === 'restarting') {
    throw new StatusError('Conflict', `Container ${id} is restarting, wait until the container is running.`);
  }
}
