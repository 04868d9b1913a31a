import { StatusError } from '#base/errors.ts';

import type { Engine } from '#engine/engine.ts';
import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import type { Reply } from '../http/reply.ts';
import { json, stream } from '../http/reply.ts';
import type { Route } from '../http/route.ts';
import { registryConfig } from '../system/auth-header.ts';
import { readDockerfile, unpackContext } from './build-context.ts';
import { BuildOutput } from './build-output.ts';
import { buildOptions } from './build-query.ts';

export function buildRoutes(context: Context): readonly Route[] {
  return [
    { method: 'POST', path: '/build', handle: (call) => build(context, call) },
    { method: 'POST', path: '/build/prune', handle: (call, signal) => prune(context, call, signal) },
    { method: 'POST', path: '/build/cancel', handle: refuseCancel },
  ];
}

/** POST /build: unpacks the context, then builds. An error before the first line of output has a status of its own. */
function build({ engine, uploads }: Context, call: Call): Reply {
  const { query } = call;
  const options = buildOptions(query);
  const auth = registryConfig(call.header('x-registry-config'));
  return stream({}, async (output, signal) => {
    await using folder = await uploads.create();
    const contextDir = await receiveContext(engine, call, folder.path, signal);
    const { name, text } = await readDockerfile(contextDir, query.text('dockerfile'));
    const source = { contextDir, dockerfileName: name, dockerfile: text };
    const teller = new BuildOutput(output, query.flag('q'));
    if (query.text('cachefrom').replace(/^(null|\[\])$/, '') !== '') {
      teller.onEvent({ kind: 'warning', text: 'cache-from is not needed: layers that are here are reused by content' });
    }
    try {
      const imageId = await engine.builder.build({ ...options, ...source, auth }, teller.onEvent, signal);
      await teller.finish(imageId, options.tags);
    } catch (error) {
      if (!output.started || signal.aborted) throw error;
      await teller.fail(error);
    }
  });
}

/** The context comes with the request, unless `remote` says where from. */
async function receiveContext(engine: Engine, { query, body }: Call, folder: string, signal: AbortSignal) {
  const remote = query.text('remote');
  if (remote !== '') return await engine.builder.fetchContext(remote, { folder }, signal);
  await unpackContext(body.bytes, folder, signal);
  return folder;
}

async function prune({ engine }: Context, call: Call, signal: AbortSignal): Promise<Reply> {
  const { query } = call;
  const filters = query.text('filters');
  const keeps = ['keep-storage', 'reserved-space', 'max-used-space', 'min-free-space'];
  const kept = keeps.find((name) => (query.integer(name) ?? 0) > 0);
  if (kept !== undefined || !['', '{}', 'null'].includes(filters)) {
    const what = kept ?? 'filters';
    throw new StatusError('NotSupported', `Cannot prune the build cache by ${what}: it goes as a whole; leave it away`);
  }
  const { removed, freedBytes } = await engine.builder.pruneCache(signal);
  return json({ CachesDeleted: removed, SpaceReclaimed: freedBytes });
}

function refuseCancel(): never {
  throw new StatusError('NotSupported', 'Cannot cancel a build by its ID: end the connection that it runs over');
}
