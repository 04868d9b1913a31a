import { StatusError } from '#base/errors.ts';
import type { Descriptor, Manifest, Platform } from '#formats/oci.ts';
import { familiarName, familiarReference, fullName, withDefaultTag } from '#formats/reference.ts';
import type { Reference } from '#formats/reference.ts';
import type { OnProgress, RegistryAuth } from '../images.ts';
import type { FetchedManifest, Repository } from '../registry/repository.ts';
import { RegistryRefusal } from '../registry/registry-error.ts';
import { wantedLayers } from '../room.ts';
import type { Room } from '../room.ts';
import { chainOf, digestOf } from '../store/chain.ts';
import type { StoredImage } from '../store/image-record.ts';
import type { Statement } from '../store/image-store.ts';
import { choosePlatform, hostFirst, hostPlatform, isPlatform } from './choose-platform.ts';
import { fetchBlob } from './fetch-blob.ts';
import { fetchLayers } from './fetch-layers.ts';
import { fetchStatements } from './fetch-statements.ts';
import type { LayerFetch } from './fetch-layers.ts';
import { checkManifest, readImage } from './read-image.ts';
import { Sources } from './sources.ts';

export interface PullOptions {
  readonly auth?: RegistryAuth;
  readonly platform?: Platform;
}

interface ResolvedImage {
  /** What the reference names: an image's manifest or an index. */
  readonly top: FetchedManifest;
  readonly manifestBytes: Uint8Array;
  readonly manifest: Manifest;
}

/** Indexes within indexes that are followed. */
const indexDepthMost = 2;

/** Pulls what a tag or digest names and names it so here; see `Images.pull`. */
export async function pullImage(
  room: Room,
  asked: Reference,
  options: PullOptions,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<StoredImage> {
  const reference = asked.digest === undefined ? withDefaultTag(asked) : { ...asked, tag: undefined };
  const sources = new Sources(room, reference, options.auth);
  // Said when the registry has answered, so that a refusal before is the first that a client hears.
  const begin = (): void =>
    onProgress({ id: reference.digest ?? reference.tag ?? '', status: `Pulling from ${reference.path}` });
  const current = await findCurrent(room, sources, reference, options.platform, signal);
  if (current !== undefined) {
    begin();
    announce(room, reference, current.digest, false, onProgress);
    return current.image;
  }
  const resolved = await sources.first(
    (repository) => resolveImage(repository, reference, options.platform, signal),
    signal,
  );
  begin();
  const before = room.store.named(reference);
  const image = await fetchImage(room, sources, reference, resolved, options.platform, onProgress, signal);
  announce(room, reference, resolved.top.digest, before?.id !== image.id, onProgress);
  return image;
}

/** The image that is here already, when a look at the registry's digest for the tag is enough to know. */
async function findCurrent(
  room: Room,
  sources: Sources,
  reference: Reference,
  platform: Platform | undefined,
  signal: AbortSignal,
): Promise<{ readonly image: StoredImage; readonly digest: string } | undefined> {
  const { tag } = reference;
  const meaning = tag === undefined ? undefined : room.store.meaningOf(reference);
  if (tag === undefined || meaning === undefined) return undefined;
  // One manifest is of the platform that it is of; an index has to have been asked for this one before.
  const wanted = platform ?? (meaning.index === undefined ? undefined : hostPlatform());
  const known = meaning.images.find(({ config }) => wanted === undefined || isPlatform(config, wanted));
  if (known === undefined) return undefined;
  const names = room.store.namesOf(known.id).filter((one) => one.digest !== undefined && one.path === reference.path);
  if (names.length === 0) return undefined;
  const look = (repository: Repository): Promise<string | undefined> => repository.headManifest(tag, signal);
  const digest = await sources.first(look, signal).catch((error: unknown) => {
    if (error instanceof RegistryRefusal) return undefined;
    throw error;
  });
  const isSame = names.some((one) => one.domain === reference.domain && one.digest === digest);
  return isSame && digest !== undefined ? { image: known, digest } : undefined;
}

async function resolveImage(
  repository: Repository,
  reference: Reference,
  platform: Platform | undefined,
  signal: AbortSignal,
): Promise<ResolvedImage> {
  const name = familiarReference(reference);
  const top = await repository.getManifest(reference.digest ?? reference.tag ?? '', signal);
  let found = top;
  for (let depth = 1; found.document.kind === 'index'; depth += 1) {
    if (depth > indexDepthMost) throw new StatusError('Damaged', `Cannot pull ${name}: its index names indexes only`);
    const entry = choosePlatform(found.document.index.manifests, platform ?? hostPlatform());
    found = await repository.getManifest(entry.digest, signal);
  }
  checkManifest(found.document.manifest, name);
  return { top, manifestBytes: found.bytes, manifest: found.document.manifest };
}

async function fetchImage(
  room: Room,
  sources: Sources,
  reference: Reference,
  { top, manifestBytes, manifest }: ResolvedImage,
  platform: Platform | undefined,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<StoredImage> {
  const getConfig = (repository: Repository): Promise<Uint8Array> => repository.getConfig(manifest.config, signal);
  const configBytes = await sources.first(getConfig, signal);
  const config = readImage(configBytes, manifest.layers.length, familiarReference(reference), platform);
  const chain = chainOf(config.rootfs.diff_ids);
  const pairs = wantedLayers(config.rootfs.diff_ids, chain).map(
    (layer, index) => [layer, manifest.layers[index] as Descriptor] as const,
  );
  await using _intent = await room.layers.intend(chain);
  const download: LayerFetch['download'] = async (descriptor, line, signal) =>
    await sources.first((repository) => fetchBlob(room, repository, descriptor, line, signal), signal);
  const fetch = { download, source: fullName(reference), onProgress };
  await fetchLayers(room, fetch, pairs, signal);
  const index = top.document.kind === 'index' ? top.document.index : undefined;
  const said = index && { index, image: digestOf(manifestBytes) };
  const statements = said === undefined ? [] : await fetchStatements(room, sources, said, signal);
  return await room.change(async () => {
    signal.throwIfAborted();
    const image = await room.store.put(configBytes, { manifestBytes });
    for (const name of [{ ...reference, tag: undefined, digest: top.digest }, reference]) {
      await keepName(room, name, image, { top, statements });
    }
    return image;
  });
}

/** Lets a name stand for the image, beside those of other platforms that the same index gave before. */
async function keepName(
  room: Room,
  name: Reference,
  image: StoredImage,
  { top, statements }: { readonly top: FetchedManifest; readonly statements: readonly Statement[] },
): Promise<void> {
  const before = room.store.meaningOf(name);
  const index = top.document.kind === 'index' ? top : undefined;
  const isSame = before?.index === index?.digest;
  const known = isSame ? (before?.statements ?? []) : [];
  const isNew = ({ bytes }: Statement): boolean => !known.some(({ manifest }) => manifest === digestOf(bytes));
  const added = statements.filter(isNew);
  if (isSame && before?.images.includes(image) === true && added.length === 0) return;
  const all = index !== undefined && isSame ? [image, ...(before?.images ?? [])] : [image];
  const images = hostFirst([...new Set(all)]);
  await room.store.name(name, { images, index: index?.bytes, statements: [...known, ...added] });
}

function announce(room: Room, reference: Reference, digest: string, isNew: boolean, onProgress: OnProgress): void {
  const name = familiarReference(reference);
  onProgress({ id: '', status: `Digest: ${digest}` });
  onProgress({ id: '', status: `Status: ${isNew ? 'Downloaded newer image' : 'Image is up to date'} for ${name}` });
  room.events.publish('image', 'pull', name, { name: familiarName(reference) });
}
