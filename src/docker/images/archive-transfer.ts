import { StatusError } from '#base/errors.ts';
import type { OnProgress } from '#engine/images/images.ts';
import type { Reference } from '#formats/reference.ts';
import { withDefaultTag } from '#formats/reference.ts';

import type { Context } from '../context.ts';
import { changedDefaults } from '../build/image-changes.ts';
import type { Call } from '../http/call.ts';
import { onClientBytes } from '../http/client-bytes.ts';
import { jsonLine, offerProgress } from '../http/json-stream.ts';
import type { Reply } from '../http/reply.ts';
import { stream } from '../http/reply.ts';
import { platformOf } from './platform.ts';
import { joinTag } from './transfer.ts';

const tarType = 'application/x-tar';

/** GET /images/get?names= and GET /images/{name}/get: `docker save`. */
export function saveReply({ engine }: Context, call: Call, names: readonly string[]): Reply {
  if (names.length === 0) throw new StatusError('InvalidArgument', 'Cannot save: name at least one image');
  const platform = platformOf(call.query.text('platform'));
  const options = platform === undefined ? {} : { platform };
  for (const name of names) engine.images.get(name, platform);
  return stream({ contentType: tarType }, async (output, signal) => {
    for await (const chunk of engine.images.save(names, options, signal)) await output.write(chunk);
  });
}

/** POST /images/load. */
export function loadReply({ engine }: Context, call: Call): Reply {
  const quiet = call.query.flag('quiet', true);
  const platform = platformOf(call.query.text('platform'));
  const options = platform === undefined ? {} : { platform };
  return stream({ lateErrors: 'json' }, async (output, signal) => {
    const onProgress: OnProgress = (progress) => {
      if (!quiet) offerProgress(output, progress);
    };
    const loaded = await onClientBytes(() => engine.images.load(call.body.bytes, options, onProgress, signal));
    for (const name of loaded) {
      const kind = name.startsWith('sha256:') ? 'Loaded image ID' : 'Loaded image';
      await output.write(jsonLine({ stream: `${kind}: ${name}\n` }));
    }
  });
}

/** POST /images/create?fromSrc=-: makes an image of the root filesystem in the body. */
export function importReply({ engine }: Context, call: Call): Reply {
  const { query } = call;
  const source = query.text('fromSrc');
  if (source !== '-') {
    throw new StatusError('NotSupported', `Cannot import from "${source}": download it and send it as the body`);
  }
  const repository = query.text('repo');
  const tag = repository === '' ? undefined : withDefaultTag(joinTag(repository, query.text('tag')));
  if (tag?.digest !== undefined) throw new StatusError('InvalidArgument', 'cannot import digest reference');
  const changes = query.texts('changes').flatMap((text) => text.split('\n'));
  const config = changedDefaults({}, changes);
  const message = query.text('message');
  const platform = platformOf(query.text('platform'));
  return stream({ lateErrors: 'json' }, async (output, signal) => {
    const options = {
      ...(tag !== undefined && { tag }),
      ...(message !== '' && { message }),
      ...(platform !== undefined && { platform }),
      config,
    };
    const image = await onClientBytes(() => engine.images.import(call.body.bytes, options, signal));
    await output.write(jsonLine({ status: image.id }));
  });
}

/** The reference that POST /images/{name}/tag and commits give: with a tag, without a digest. */
export function targetReference(repository: string, tag: string): Reference {
  const reference = withDefaultTag(joinTag(repository, tag));
  if (reference.digest === undefined) return reference;
  throw new StatusError('InvalidArgument', 'refusing to create a tag with a digest reference');
}
