import { StatusError } from '#base/errors.ts';
import type { Engine } from '#engine/engine.ts';
import type { NewImage } from '#engine/images/images.ts';
import {
  familiarReference,
  fullReference,
  parseReference,
  type Reference,
  withDefaultTag,
} from '#formats/reference.ts';

import { Task } from '../progress/task.ts';
import type { ClientSession } from '../session/client-session.ts';
import { sessionCredentials } from '../session/session-credentials.ts';
import { type ActiveBuild, type Built, claimsFor } from './active-build.ts';

export type ExporterResponse = ReadonlyMap<string, string>;

/** A result as an image, and what the client says of its output. */
export interface ImageOutput {
  readonly result: Built;
  readonly attributes: ReadonlyMap<string, string>;
  /** By which the client knows the output. */
  readonly id: string;
}

/** Adds the result to this machine's images, and pushes it when asked to. */
export async function exportImage(
  engine: Engine,
  build: ActiveBuild,
  session: ClientSession,
  { result, attributes, id: output }: ImageOutput,
): Promise<ExporterResponse> {
  const pushes = isTrue(attributes.get('push'));
  const tags = imageNames(attributes.get('name') ?? '');
  const task = new Task(build.log, `${build.ref} export ${output}`, 'exporting to image');
  const image = await task.run(async () => {
    const added = await engine.images.add({ ...imagesOf(result, { pushes }), tags }, build.signal);
    task.progress(`writing image ${added.id}`, { current: 0, done: true });
    for (const tag of tags) task.progress(`naming to ${fullReference(tag)}`, { current: 0, done: true });
    return added;
  });
  const response = new Map([
    ['containerimage.config.digest', image.id],
    ['containerimage.digest', image.id],
    ['image.name', tags.map(fullReference).join(',')],
  ]);
  if (pushes) {
    const digest = await pushAll(engine, build, session, tags);
    if (digest !== undefined) response.set('containerimage.digest', digest);
  }
  return response;
}

/** All platforms, and what is claimed of them unless that is for images that are pushed only. */
function imagesOf({ images }: Built, to: { readonly pushes: boolean }): NewImage {
  const [first, ...others] = images.map((image) => ({ config: image.config, attestations: claimsFor(image, to) }));
  if (first === undefined) throw new Error('invariant broken: a result without an image');
  return { ...first, others };
}

async function pushAll(
  engine: Engine,
  { log, ref, signal }: ActiveBuild,
  session: ClientSession,
  tags: readonly Reference[],
): Promise<string | undefined> {
  let digest: string | undefined;
  for (const tag of tags) {
    const task = new Task(log, `${ref} push ${fullReference(tag)}`, `pushing ${fullReference(tag)}`);
    await task.run(async () => {
      const auth = await sessionCredentials(session, tag.domain, signal);
      const pushed = await engine.images.push(
        tag,
        auth === undefined ? {} : { auth },
        ({ id, status, currentBytes = 0, totalBytes = 0 }) =>
          task.progress(id === '' ? status : `pushing layer ${id}`, { current: currentBytes, total: totalBytes }),
        signal,
      );
      digest = pushed.digest;
    });
  }
  return digest;
}

/** Names with tags, as `-t` gives them. Throws InvalidArgument. */
export function imageNames(names: string): readonly Reference[] {
  return names
    .split(',')
    .filter((name) => name !== '')
    .map((name) => {
      const reference = withDefaultTag(parseReference(name));
      if (reference.digest === undefined) return reference;
      throw new StatusError(
        'InvalidArgument',
        `Cannot tag "${familiarReference(reference)}": a tag cannot have a digest`,
      );
    });
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && /^(1|t|true)$/i.test(value);
}
