import { StatusError } from '#base/errors.ts';
import type { Reference } from '#formats/reference.ts';
import { familiarName, familiarReference, fullName, parseReference } from '#formats/reference.ts';

import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import { jsonLine, offerProgress } from '../http/json-stream.ts';
import type { Reply } from '../http/reply.ts';
import { stream } from '../http/reply.ts';
import { registryAuth } from '../system/auth-header.ts';
import { platformOf } from './platform.ts';

/** POST /images/create?fromImage=: pulls one tag. An error before the first byte keeps its status. */
export function pullReply({ engine }: Context, call: Call): Reply {
  const { query } = call;
  const reference = joinTag(query.text('fromImage').replace(/:$/, ''), query.text('tag'));
  if (reference.tag === undefined && reference.digest === undefined) {
    const name = familiarName(reference);
    throw new StatusError('NotSupported', `Cannot pull all tags of "${name}": name one, such as ${name}:latest`);
  }
  const auth = registryAuth(call.header('x-registry-auth'));
  const platform = platformOf(query.text('platform'));
  return stream({ lateErrors: 'json' }, async (output, signal) => {
    await engine.images.pull(
      reference,
      { ...(auth !== undefined && { auth }), ...(platform !== undefined && { platform }) },
      (progress) => offerProgress(output, progress),
      signal,
    );
  });
}

/** POST /images/{name}/push: one tag, or all tags of the name when none is given. */
export function pushReply({ engine }: Context, call: Call): Reply {
  const named = joinTag(call.params['name'] ?? '', call.query.text('tag'));
  if (named.digest !== undefined) {
    throw new StatusError('InvalidArgument', 'cannot push a digest reference');
  }
  const auth = registryAuth(call.header('x-registry-auth'));
  const platform = platformOf(call.query.text('platform'));
  const references = named.tag === undefined ? allTags(engine, named) : [named];
  for (const reference of references) engine.images.get(familiarReference(reference));
  return stream({ lateErrors: 'json' }, async (output, signal) => {
    for (const reference of references) {
      const onProgress = (progress: Parameters<typeof offerProgress>[1]): void => offerProgress(output, progress);
      const options = { ...(auth !== undefined && { auth }), ...(platform !== undefined && { platform }) };
      const { digest, sizeBytes } = await engine.images.push(reference, options, onProgress, signal);
      const aux = { Tag: reference.tag, Digest: digest, Size: sizeBytes };
      await output.write(jsonLine({ progressDetail: {}, aux }));
    }
  });
}

/** Joins a name and the `tag` parameter, which can also hold a digest. */
export function joinTag(name: string, tag: string): Reference {
  if (tag === '') return parseReference(name);
  return parseReference(tag.includes(':') ? `${name}@${tag}` : `${name}:${tag}`);
}

function allTags({ images }: Context['engine'], named: Reference): readonly Reference[] {
  const tags = images.list().flatMap((image) => image.tags.map(parseReference));
  const found = tags.filter((tag) => fullName(tag) === fullName(named));
  if (found.length === 0) {
    throw new StatusError('NotFound', `An image does not exist locally with the tag: ${familiarName(named)}`);
  }
  return found;
}
