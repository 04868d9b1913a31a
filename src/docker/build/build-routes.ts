import { StatusError } from '#base/errors.ts';

import type { Engine } from '#engine/engine.ts';
import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import type { Reply } from '../http/reply.ts';
import { empty, stream } from '../http/reply.ts';
import type { Route } from '../http/route.ts';
import { registryConfig } from '../system/auth-header.ts';
import { readDockerfile, unpackContext } from './build-context.ts';
import { BuildOutput } from './build-output.ts';
import { buildOptions } from './build-query.ts';
import { pruneCache } from './prune-cache.ts';

/** Builds that run and whose clients gave them an ID (`buildid`). */
type Builds = Map<string, AbortController>;

export function buildRoutes(context: Context): readonly Route[] {
  const builds: Builds = new Map();
  return [
    { method: 'POST', path: '/build', handle: (call) => build(context, call, builds) },
    { method: 'POST', path: '/build/prune', handle: (call, signal) => pruneCache(context, call, signal) },
    { method: 'POST', path: '/build/cancel', handle: (call) => cancel(call, builds) },
  ];
}

/** POST /build: unpacks the context, then builds. An error before the first line of output has a status of its own. */
function build({ engine, uploads }: Context, call: Call, builds: Builds): Reply {
  const { query } = call;
  const options = buildOptions(query);
  const auth = registryConfig(call.header('x-registry-config'));
  return stream({}, async (output, gone) => {
    using canceled = cancelable(query.text('buildid'), builds);
    const signal = AbortSignal.any([gone, canceled.signal]);
    await using folder = await uploads.create();
    const contextDir = await receiveContext(engine, call, folder.path, signal);
    const { name, text } = await readDockerfile(contextDir, query.text('dockerfile'));
    const source = { contextDir, dockerfileName: name, dockerfile: text };
    const teller = new BuildOutput(output, query.flag('q'));
    try {
      const imageId = await engine.builder.build({ ...options, ...source, auth }, teller.onEvent, signal);
      await teller.finish(imageId, options.tags);
    } catch (error) {
      if (!output.started || gone.aborted) throw error;
      await teller.fail(error);
    }
  });
}

function cancelable(id: string, builds: Builds): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  if (id !== '') builds.set(id, controller);
  const forget = (): void => {
    if (builds.get(id) === controller) builds.delete(id);
  };
  return { signal: controller.signal, [Symbol.dispose]: forget };
}

/** The context comes with the request, unless `remote` says where from. */
async function receiveContext(engine: Engine, { query, body }: Call, folder: string, signal: AbortSignal) {
  const remote = query.text('remote');
  if (remote !== '') return await engine.builder.fetchContext(remote, { folder }, signal);
  await unpackContext(body.bytes, folder, signal);
  return folder;
}

/** Docker's answer is the same whether there is such a build or not. */
function cancel(call: Call, builds: Builds): Reply {
  const id = call.query.text('id');
  if (id === '') throw new StatusError('InvalidArgument', 'build ID not provided');
  builds.get(id)?.abort(new StatusError('Conflict', `the build "${id}" was canceled`));
  return empty(200);
}
