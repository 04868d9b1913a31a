import { StatusError } from '#base/errors.ts';
import { formatPlatform } from '#formats/oci-json.ts';
import { platformOf } from '#formats/oci.ts';
import type { Descriptor, Digest, Manifest, Platform } from '#formats/oci.ts';
import { familiarName, familiarReference, fullName, withDefaultTag } from '#formats/reference.ts';
import type { Reference } from '#formats/reference.ts';
import type { OnProgress, RegistryAuth } from '../images.ts';
import { inTurn } from '../in-turn.ts';
import { makeIndex } from '../make-index.ts';
import type { IndexedImage, MadeIndex } from '../make-index.ts';
import { uploadBytes } from '../registry/blob-upload.ts';
import { Repository } from '../registry/repository.ts';
import { wantedLayers } from '../room.ts';
import type { Room } from '../room.ts';
import { digestOf } from '../store/chain.ts';
import type { StoredImage } from '../store/image-record.ts';
import type { NameMeaning, OriginalIndex } from '../store/image-store.ts';
import { findPlatform } from './choose-platform.ts';
import { ProgressLine } from './progress-lines.ts';
import { manifestToPush } from './push-manifest.ts';
import type { PushedLayer } from './push-manifest.ts';
import { sendLayer } from './send-layer.ts';

/** Said when an image cannot keep its digest. */
const newManifest =
  'The compressed layers that this image was pulled with are nowhere to be had any more: it gets a new manifest';

/** Pushes what a tag stands for; see `Images.push`. */
export async function pushImage(
  room: Room,
  asked: Reference,
  options: { readonly auth?: RegistryAuth; readonly platform?: Platform },
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<{ readonly digest: Digest; readonly sizeBytes: number }> {
  if (asked.digest !== undefined) throw new StatusError('InvalidArgument', 'cannot push a digest reference');
  const reference = withDefaultTag(asked);
  const meaning = room.store.meaningOf(reference);
  if (meaning === undefined) {
    const name = familiarReference(asked);
    throw new StatusError('NotFound', `An image does not exist locally with the tag: ${name}`);
  }
  using _hold = room.layers.hold(meaning.images.flatMap(({ chain }) => chain));
  const whole = options.platform === undefined ? await wholeIndex(room, meaning) : undefined;
  const isMade = whole === undefined && options.platform === undefined && needsIndex(meaning);
  const images = whole !== undefined || isMade ? meaning.images : [chooseImage(reference, meaning, options.platform)];
  onProgress({ id: '', status: `The push refers to repository [${fullName(reference)}]` });
  const repository = new Repository(room.connect(reference.domain, options.auth), reference, 'pull,push');
  const push = { room, repository, reference, onProgress, kind: isMade ? 'oci' : 'docker' } as const;
  const sent: PushedManifest[] = [];
  for (const image of images) sent.push(await sendImage(push, image, signal));
  const index = isMade ? await sendClaims(push, meaning, sent, signal) : whole;
  if (whole !== undefined) await sendStatements(push, meaning, whole, signal);
  const top = index ?? (sent[0] as PushedManifest);
  if (index !== undefined) await putAll(push, index, sent, signal);
  const tag = reference.tag ?? '';
  const digest = await repository.putManifest(tag, top.bytes, top.mediaType, signal);
  onProgress({ id: '', status: `${tag}: digest: ${digest} size: ${String(top.bytes.length)}` });
  await room.change(async () => {
    const still = images.filter(({ id }) => room.store.get(id) !== undefined);
    const attestations = isMade ? meaning.attestations : [];
    const statements = whole === undefined ? [] : meaning.statements;
    const target = { images: still, index: index?.bytes, attestations, statements };
    if (still.length > 0) await room.store.name({ ...reference, tag: undefined, digest }, target);
  });
  room.events.publish('image', 'push', familiarReference(reference), { name: familiarName(reference) });
  return { digest, sizeBytes: top.bytes.length };
}

interface Push {
  readonly room: Room;
  readonly repository: Repository;
  readonly reference: Reference;
  readonly onProgress: OnProgress;
  /** Of new manifests. */
  readonly kind: 'docker' | 'oci';
}

interface PushedManifest {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

/** The index that a name was pulled by, when each of its manifests is that of an image here, or says something of one. */
async function wholeIndex(room: Room, { images, index, statements }: NameMeaning): Promise<OriginalIndex | undefined> {
  const original = index === undefined ? undefined : await room.store.indexOf(index);
  const isHere = ({ digest }: Descriptor): boolean =>
    [...images, ...statements].some(({ manifest }) => manifest === digest);
  return original?.index.manifests.every(isHere) === true ? original : undefined;
}

/** Whether there is to be an index although there was none: for several images, or for what is claimed of one. */
function needsIndex({ images, index, attestations }: NameMeaning): boolean {
  return index === undefined && (images.length > 1 || attestations.length > 0);
}

/** Sends what an index says of its images. Throws Unavailable when that is not kept any more. */
async function sendStatements(
  { room, repository, reference }: Push,
  { statements }: NameMeaning,
  { index }: OriginalIndex,
  signal: AbortSignal,
): Promise<void> {
  for (const record of statements) {
    const statement = await room.store.statementOf(record);
    const entry = index.manifests.find(({ digest }) => digest === record.manifest);
    if (statement === undefined || entry === undefined)
      throw new StatusError(
        'Unavailable',
        `Cannot push ${familiarReference(reference)}: what its index says of it is lost; pull it again`,
      );
    for (const [place, bytes] of statement.blobs.entries())
      if (!(await repository.hasBlob(record.blobs[place] ?? digestOf(bytes), signal)))
        await uploadBytes(repository, bytes, signal);
    await repository.putManifest(record.manifest, statement.bytes, entry.mediaType, signal);
  }
}

/** Makes the index of images that are sent, and sends what is claimed of them. */
async function sendClaims(
  { room, repository, reference }: Push,
  meaning: NameMeaning,
  sent: readonly PushedManifest[],
  signal: AbortSignal,
): Promise<MadeIndex> {
  const images: IndexedImage[] = [];
  for (const [place, { bytes, mediaType }] of sent.entries()) {
    const image = meaning.images[place];
    if (image === undefined) continue;
    const attestations = await room.store.claimsOf(meaning, image.id);
    const manifest = { mediaType, digest: digestOf(bytes), size: bytes.length };
    images.push({ manifest, platform: platformOf(image.config), attestations });
  }
  const made = makeIndex(images, reference);
  for (const { bytes, digest } of made.blobs)
    if (!(await repository.hasBlob(digest, signal))) await uploadBytes(repository, bytes, signal);
  for (const { bytes, digest, mediaType } of made.manifests)
    await repository.putManifest(digest, bytes, mediaType, signal);
  return made;
}

function chooseImage(reference: Reference, { images }: NameMeaning, platform: Platform | undefined): StoredImage {
  const [first] = images;
  const name = familiarReference(reference);
  const chosen = platform === undefined ? first : findPlatform(images, platform);
  if (chosen === undefined && platform !== undefined) {
    const text = `image with reference ${name} was found but does not provide the specified platform`;
    throw new StatusError('NotFound', `${text} (${formatPlatform(platform)})`);
  }
  if (chosen !== undefined && (images.length === 1 || platform !== undefined)) return chosen;
  const here = images.map(({ config }) => formatPlatform(platformOf(config))).join(', ');
  throw new StatusError(
    'Conflict',
    `Cannot push ${name}: some of its platforms are here (${here}), not all; name one by --platform, or pull the others`,
  );
}

/** Sends layers and configuration; what is left to send is the manifest. */
async function sendImage(push: Push, image: StoredImage, signal: AbortSignal): Promise<PushedManifest> {
  const { room, repository, onProgress } = push;
  const original = await room.store.originalOf(image);
  const layers = await sendLayers(push, image, original?.manifest, signal);
  if (!(await repository.hasBlob(image.id, signal))) await uploadBytes(repository, image.configBytes, signal);
  const config = { digest: image.id, size: image.configBytes.length };
  const { bytes, mediaType } = manifestToPush(original, config, layers, push.kind);
  if (original !== undefined && bytes !== original.bytes) onProgress({ id: '', status: newManifest });
  return { bytes, mediaType };
}

/** Sends the manifests of an index by their digests, which a registry wants before the index. */
async function putAll(
  { repository, reference }: Push,
  { index }: Pick<OriginalIndex, 'index'>,
  manifests: readonly PushedManifest[],
  signal: AbortSignal,
): Promise<void> {
  for (const { bytes, mediaType } of manifests) {
    const digest = digestOf(bytes);
    if (!index.manifests.some((entry) => entry.digest === digest)) {
      const text = 'an image of its index cannot keep its manifest any more; push its platforms one by one';
      throw new StatusError('Unavailable', `Cannot push ${familiarReference(reference)}: ${text}`);
    }
    await repository.putManifest(digest, bytes, mediaType, signal);
  }
}

/** Sends each different layer once, several at a time; the first failure ends the rest. */
async function sendLayers(
  { room, repository, reference, onProgress }: Push,
  image: StoredImage,
  original: Manifest | undefined,
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
      () => sendLayer(room, { repository, reference }, layer, original?.layers[index], line, either),
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
