import { StatusError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import { formatPlatform, parseJson, parseJsonValue, parseManifest } from '#formats/oci-json.ts';
import { hexOf } from '#formats/oci.ts';
import type { Descriptor, ImageConfig, Manifest, Platform } from '#formats/oci.ts';
import { parseReference } from '#formats/reference.ts';
import type { Reference } from '#formats/reference.ts';
import { choosePlatform, fitsPlatform, hostPlatform } from '../transfer/choose-platform.ts';
import { checkManifest, readImage } from '../transfer/read-image.ts';
import type { Spool, SpooledFile } from './spool.ts';

/** An image of an archive, checked as far as it can be before its layers are unpacked. */
export interface ArchivedImage {
  readonly config: ImageConfig;
  readonly configBytes: Uint8Array;
  readonly manifestBytes: Uint8Array | undefined;
  /** The index by which its names mean it, and maybe others. */
  readonly indexBytes: Uint8Array | undefined;
  /** As in the archive, from the lowest: plain, gzip or zstd. */
  readonly layers: readonly SpooledFile[];
  readonly tags: readonly Reference[];
}

const manifestBytesMost = 4 * 1024 * 1024;
const configBytesMost = 8 * 1024 * 1024;

/**
 * Reads what an OCI layout (index.json) or else a docker-archive (manifest.json) says, of all platforms that it holds or
 * of one. Throws as `Images.load`.
 */
export async function readLayout(spool: Spool, platform: Platform | undefined): Promise<readonly ArchivedImage[]> {
  const isLayout = spool.find('oci-layout') !== undefined && spool.find('index.json') !== undefined;
  const hasDocker = spool.find('manifest.json') !== undefined;
  if (!isLayout && !hasDocker) {
    throw new StatusError(
      'InvalidArgument',
      'Cannot load the archive: it has neither manifest.json nor index.json; give what docker save or an OCI layout is',
    );
  }
  const docker = hasDocker ? await readDockerArchive(spool) : [];
  const images = isLayout ? withTags(await readOciLayout(spool, platform), docker) : docker;
  const wanted = images.filter(({ config }) => platform === undefined || fitsPlatform(config, platform));
  if (wanted.length > 0 || platform === undefined) return wanted;
  const text = `Cannot load the archive: it has no image for ${formatPlatform(platform)}`;
  throw new StatusError('NotFound', `${text}; leave the platform away, or name one that it has`);
}

/** Names that only the docker-archive of the same tar gives. */
function withTags(images: readonly ArchivedImage[], docker: readonly ArchivedImage[]): readonly ArchivedImage[] {
  return images.map((image) => {
    const same = docker.filter(({ configBytes }) => Buffer.from(configBytes).equals(image.configBytes));
    return image.tags.length > 0 ? image : { ...image, tags: same.flatMap(({ tags }) => tags) };
  });
}

async function readDockerArchive(spool: Spool): Promise<readonly ArchivedImage[]> {
  const bytes = await spool.read('manifest.json', manifestBytesMost);
  const images = parseJsonValue(bytes, 'manifest.json');
  if (!Array.isArray(images)) throw damaged('manifest.json is no list');
  const read: ArchivedImage[] = [];
  for (const item of images as readonly unknown[]) {
    const { Config: configPath, RepoTags: repoTags, Layers: layerPaths } = isObject(item) ? item : {};
    if (typeof configPath !== 'string' || !isStrings(layerPaths)) throw damaged('manifest.json is not as it should be');
    const tags = repoTags === null || repoTags === undefined ? [] : repoTags;
    if (!isStrings(tags)) throw damaged('RepoTags in manifest.json is no list of names');
    const configBytes = await spool.read(configPath, configBytesMost);
    const layers = layerPaths.map((path) => spool.get(path));
    const config = readImage(configBytes, layers.length, tags[0] ?? configPath, undefined);
    read.push({
      config,
      configBytes,
      manifestBytes: undefined,
      indexBytes: undefined,
      layers,
      tags: tags.map(readTag),
    });
  }
  return read;
}

async function readOciLayout(spool: Spool, platform: Platform | undefined): Promise<readonly ArchivedImage[]> {
  const layout = parseJson(await spool.read('oci-layout', manifestBytesMost), 'oci-layout');
  if (layout['imageLayoutVersion'] !== '1.0.0') throw damaged('oci-layout names another version than 1.0.0');
  const top = parseManifest(await spool.read('index.json', manifestBytesMost), undefined);
  if (top.kind !== 'index') throw damaged('index.json is no index');
  const byDigest = new Map<string, readonly ArchivedImage[]>();
  const tagsByDigest = new Map<string, readonly Reference[]>();
  for (const entry of top.index.manifests) {
    if (!isWanted(entry, platform)) continue;
    tagsByDigest.set(entry.digest, [...(tagsByDigest.get(entry.digest) ?? []), ...tagsOf(entry)]);
    if (!byDigest.has(entry.digest)) byDigest.set(entry.digest, await readEntry(spool, entry, platform));
  }
  if (byDigest.size === 0) choosePlatform(top.index.manifests, platform ?? hostPlatform());
  return [...byDigest].flatMap(([digest, images]) =>
    images.map((image) => ({ ...image, tags: tagsByDigest.get(digest) ?? [] })),
  );
}

/** An image, or those images of an index that the archive holds. */
async function readEntry(
  spool: Spool,
  entry: Descriptor,
  platform: Platform | undefined,
): Promise<readonly ArchivedImage[]> {
  const bytes = await readBlob(spool, entry, manifestBytesMost);
  const document = parseManifest(bytes, entry.mediaType);
  if (document.kind === 'manifest') return [await readOciImage(spool, entry, bytes, document.manifest)];
  const { manifests } = document.index;
  const images: ArchivedImage[] = [];
  for (const inner of manifests.filter((one) => isWanted(one, platform))) {
    // An archive of some platforms names the others all the same.
    if (spool.find(pathOf(inner)) === undefined) continue;
    const innerBytes = await readBlob(spool, inner, manifestBytesMost);
    const innerDocument = parseManifest(innerBytes, inner.mediaType);
    if (innerDocument.kind === 'index') throw damaged('its indexes name indexes');
    const image = await readOciImage(spool, inner, innerBytes, innerDocument.manifest);
    images.push({ ...image, indexBytes: bytes });
  }
  if (images.length === 0) choosePlatform(manifests, platform ?? hostPlatform());
  return images;
}

/** Whether an entry can be an image of the platform; attestations and other systems are passed over. */
function isWanted({ platform: has }: Descriptor, wanted: Platform | undefined): boolean {
  if (has === undefined || has.os === '') return true;
  return has.os === 'linux' && (wanted === undefined || fitsPlatform(has, wanted));
}

async function readOciImage(
  spool: Spool,
  entry: Descriptor,
  bytes: Uint8Array,
  manifest: Manifest,
): Promise<ArchivedImage> {
  checkManifest(manifest, entry.digest);
  const configBytes = await readBlob(spool, manifest.config, configBytesMost);
  const layers = manifest.layers.map((layer) => getBlob(spool, layer));
  const config = readImage(configBytes, layers.length, entry.digest, undefined);
  return { config, configBytes, manifestBytes: bytes, indexBytes: undefined, layers, tags: [] };
}

async function readBlob(spool: Spool, descriptor: Descriptor, limitBytes: number): Promise<Uint8Array> {
  getBlob(spool, descriptor);
  return await spool.read(pathOf(descriptor), limitBytes);
}

function getBlob(spool: Spool, descriptor: Descriptor): SpooledFile {
  const file = spool.get(pathOf(descriptor));
  if (file.digest === descriptor.digest && file.sizeBytes === descriptor.size) return file;
  throw damaged(`${pathOf(descriptor)} has other bytes than its name says`);
}

function pathOf({ digest }: Descriptor): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

/** A name in full, or a bare tag, which names nothing here. */
function tagsOf({ annotations = {} }: Descriptor): readonly Reference[] {
  const name = annotations['io.containerd.image.name'] ?? annotations['org.opencontainers.image.ref.name'];
  return name === undefined || !/[:/]/.test(name) ? [] : [readTag(name)];
}

function readTag(text: string): Reference {
  const reference = parseReference(text);
  if (reference.tag !== undefined && reference.digest === undefined) return reference;
  throw new StatusError('InvalidArgument', `Cannot load the archive: ${JSON.stringify(text)} is no name with a tag`);
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function damaged(why: string): StatusError {
  return new StatusError('Damaged', `Cannot load the archive: ${why}`);
}
