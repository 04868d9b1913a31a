import { deadline } from '#base/clock.ts';
import type { Engine } from '#engine/engine.ts';
import type { SavedPlatform } from '#engine/images/images.ts';
import type { Digest, ImageConfig } from '#formats/oci.ts';
import { fullReference } from '#formats/reference.ts';

import type { ClientSession } from '../session/client-session.ts';
import { type ActiveBuild, claimsFor } from './active-build.ts';
import { sendBytes, sending } from './export-files.ts';
import { type ExporterResponse, imageNames, type ImageOutput } from './export-image.ts';

/** How long the removal of the image may take. */
const removalMs = 30_000;

/** `--output type=docker,dest=x` or `type=oci`: one tar that is both, sent to the client and not kept here. */
export async function exportArchive(
  engine: Engine,
  build: ActiveBuild,
  session: ClientSession,
  { result, attributes, id: output }: ImageOutput,
): Promise<ExporterResponse> {
  const tags = imageNames(attributes.get('name') ?? '');
  let id: Digest | undefined;
  await sending(build, session, { id: output, name: 'exporting to oci image format' }, async (task) => {
    await using stack = new AsyncDisposableStack();
    const saved: SavedPlatform[] = [];
    for (const built of result.images) {
      const image = stack.use(await passingImage(engine, built.config, build.signal));
      saved.push({ id: image.id, attestations: claimsFor(built, { pushes: false }) });
    }
    id = saved[0]?.id;
    const bytes = engine.images.saveAs(saved, tags, build.signal);
    await sendBytes(session, { bytes, id: output, task }, build.signal);
  });
  return new Map([
    ['containerimage.config.digest', id ?? ''],
    ['image.name', tags.map(fullReference).join(',')],
  ]);
}

/** An image that is removed again, unless it was here before. */
async function passingImage(
  { images }: Engine,
  config: ImageConfig,
  signal: AbortSignal,
): Promise<{ readonly id: Digest } & AsyncDisposable> {
  const before = new Set(images.list().map(({ id }) => id));
  const { id } = await images.add({ config }, signal);
  return {
    id,
    async [Symbol.asyncDispose]() {
      const isNamed = (images.find(id)?.tags.length ?? 0) > 0;
      if (before.has(id) || isNamed) return;
      await images.remove(id, { force: false, prune: false }, deadline(removalMs));
    },
  };
}
