import { StatusError } from '#base/errors.ts';
import type { Digest, Manifest } from '#formats/oci.ts';
import { familiarName, familiarReference, fullName, withDefaultTag } from '#formats/reference.ts';
import type { Reference } from '#formats/reference.ts';
import type { OnProgress, RegistryAuth } from '../images.ts';
import { inTurn } from '../in-turn.ts';
import { uploadBytes } from '../registry/blob-upload.ts';
import { Repository } from '../registry/repository.ts';
import { wantedLayers } from '../room.ts';
import type { Room } from '../room.ts';
import type { StoredImage } from '../store/image-record.ts';
import { ProgressLine } from './progress-lines.ts';
import { manifestToPush } from './push-manifest.ts';
import type { PushedLayer } from './push-manifest.ts';
import { sendLayer } from './send-layer.ts';

/** Said when an image cannot keep its digest. */
const newManifest =
  'The compressed layers that this image was pulled with are nowhere to be had any more: it gets a new manifest';

/** Pushes the image of a tag; see `Images.push`. */
export async function pushImage(
  room: Room,
  asked: Reference,
  auth: RegistryAuth | undefined,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<{ readonly digest: Digest; readonly sizeBytes: number }> {
  if (asked.digest !== undefined) throw new StatusError('InvalidArgument', 'cannot push a digest reference');
  const reference = withDefaultTag(asked);
  const image = room.store.named(reference);
  if (image === undefined) {
    const name = familiarReference(asked);
    throw new StatusError('NotFound', `An image does not exist locally with the tag: ${name}`);
  }
  using _hold = room.layers.hold(image.chain);
  onProgress({ id: '', status: `The push refers to repository [${fullName(reference)}]` });
  const repository = new Repository(room.connect(reference.domain, auth), reference, 'pull,push');
  const original = await room.store.originalOf(image);
  const layers = await sendLayers(room, { repository, reference }, image, original?.manifest, onProgress, signal);
  if (!(await repository.hasBlob(image.id, signal))) await uploadBytes(repository, image.configBytes, signal);
  const config = { digest: image.id, size: image.configBytes.length };
  const { bytes, mediaType } = manifestToPush(original, config, layers);
  const tag = reference.tag ?? '';
  if (original !== undefined && bytes !== original.bytes) onProgress({ id: '', status: newManifest });
  const digest = await repository.putManifest(tag, bytes, mediaType, signal);
  onProgress({ id: '', status: `${tag}: digest: ${digest} size: ${String(bytes.length)}` });
  await room.change(async () => {
    if (room.store.get(image.id) !== undefined) {
      await room.store.name({ ...reference, tag: undefined, digest }, image.id);
    }
  });
  room.events.publish('image', 'push', familiarReference(reference), { name: familiarName(reference) });
  return { digest, sizeBytes: bytes.length };
}

/** Sends each different layer once, several at a time; the first failure ends the rest. */
async function sendLayers(
  room: Room,
  destination: { readonly repository: Repository; readonly reference: Reference },
  image: StoredImage,
  original: Manifest | undefined,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<readonly PushedLayer[]> {
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const tasks = new Map<Digest, Promise<PushedLayer>>();
  const layers = wantedLayers(image.config.rootfs.diff_ids, image.chain);
  for (const [index, layer] of layers.entries()) {
    if (tasks.has(layer.diffId)) continue;
    const line = new ProgressLine(layer.diffId, onProgress);
    line.say('Preparing');
    const task = inTurn(
      (work) => room.uploads.run(work),
      () => sendLayer(room, destination, layer, original?.layers[index], line, either),
      either,
    );
    task.catch((error: unknown) => failure.abort(error));
    tasks.set(layer.diffId, task);
  }
  await Promise.allSettled(tasks.values());
  signal.throwIfAborted();
  failure.signal.throwIfAborted();
  return await Promise.all(layers.map(({ diffId }) => tasks.get(diffId) as Promise<PushedLayer>));
}
