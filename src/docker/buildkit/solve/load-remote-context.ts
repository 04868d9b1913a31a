import type { Engine } from '#engine/engine.ts';
import { decodeMessage } from '#formats/protobuf/decode.ts';

import { unpackContext } from '../../build/build-context.ts';
import { bytesMessage } from '../messages/session-messages.ts';
import { Task } from '../progress/task.ts';
import type { ClientSession } from '../session/client-session.ts';
import { lendSession } from '../session/lend-session.ts';
import type { ActiveBuild } from './active-build.ts';
import type { FrontendOptions } from './frontend-options.ts';

const uploadMethod = '/moby.upload.v1.Upload/Pull';
/** The host of addresses that mean an archive which the client holds ready (its stdin). */
const sessionHost = 'buildkit-session';

/** Brings a context that is no folder of the client into an empty folder. Returns its path, which lies in the folder. */
export async function loadRemoteContext(
  { builder }: Engine,
  { log, ref, signal }: ActiveBuild,
  session: ClientSession,
  { options, folder }: { readonly options: FrontendOptions; readonly folder: string },
): Promise<string> {
  const { contextUrl: url } = options;
  const task = new Task(log, `${ref} context`, '[internal] load remote build context');
  return await task.run(async () => {
    if (URL.canParse(url) && new URL(url).host === sessionHost) {
      await unpackContext(uploaded(session, new URL(url), task, signal), folder, signal);
      return folder;
    }
    const keepGitDir = /^(1|true)$/i.test(options.request.buildArgs['BUILDKIT_CONTEXT_KEEP_GIT_DIR'] ?? '');
    return await builder.fetchContext(url, { folder, session: lendSession(session), keepGitDir }, signal);
  });
}

async function* uploaded(
  session: ClientSession,
  { pathname, host }: URL,
  task: Task,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  using stream = session.channel.open(uploadMethod, { urlpath: pathname, urlhost: host }, signal);
  const id = 'transferring context:';
  stream.end();
  let current = 0;
  for await (const bytes of stream.messages) {
    const { data } = decodeMessage(bytesMessage, bytes);
    current += data.length;
    task.progress(id, { current });
    yield data;
  }
  task.progress(id, { current, done: true });
}
