import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

import { StatusError } from '#base/errors.ts';
import type { Engine } from '#engine/engine.ts';

import type { PausedContainers } from '../paused-containers.ts';

/** `GET /volumes/backup?name=NAME[&pause=1]`: the data as an uncompressed tar. */
export async function backupVolume(
  needs: { readonly engine: Engine; readonly paused: PausedContainers },
  query: URLSearchParams,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const { containers, volumes } = needs.engine;
  const { name } = volumes.get(query.get('name') ?? '');
  const send = async (): Promise<void> => {
    for await (const chunk of volumes.backup(name, signal)) {
      if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-tar' });
      if (!response.write(chunk)) await once(response, 'drain', { signal });
    }
  };
  if (query.get('pause') === '1') await needs.paused.during(containers, volumes.holders(name), send);
  else await send();
  response.end();
}

/** `POST /volumes/restore?name=NAME[&force=1]` with an uncompressed tar. */
export async function restoreVolume(
  { volumes }: Engine,
  query: URLSearchParams,
  request: IncomingMessage,
  signal: AbortSignal,
): Promise<{ readonly name: string }> {
  try {
    const force = query.get('force') === '1';
    const { name } = await volumes.restore(query.get('name') ?? '', request, { force }, signal);
    return { name };
  } finally {
    // The client sees the answer only when what it still sends is taken.
    request.resume();
  }
}

/** `POST /volumes/resize?name=NAME&size=10g`. */
export async function resizeVolume({ volumes }: Engine, query: URLSearchParams): Promise<{ readonly size: string }> {
  const size = query.get('size') ?? '';
  if (size === '') throw new StatusError('InvalidArgument', 'want the query parameter size');
  await volumes.resize(query.get('name') ?? '', size);
  return { size };
}
