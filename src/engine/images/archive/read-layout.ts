import { StatusError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import { parseJson, parseJsonValue, parseManifest } from '#formats/oci-json.ts';
import type { ManifestDocument } from '#formats/oci-json.ts';
import { hexOf } from '#formats/oci.ts';
import type { Descriptor, ImageConfig } from '#formats/oci.ts';
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
  /** As in the archive, from the lowest: plain, gzip or zstd. */
  readonly layers: readonly SpooledFile[];
  readonly tags: readonly Reference[];
}

const manifestBytesMost = 4 * 1024 * 1024;
const configBytesMost = 8 * 1024 * 1024;
const indexDepthMost = 3;

/** Reads what a docker-archive (manifest.json) or else an OCI layout (index.json) says. Throws as `Images.load`. */
export async function readLayout(spool: Spool): Promise<readonly ArchivedImage[]> {
  if (spool.find('manifest.json') !== undefined) return await readDockerArchive(spool);
  if (spool.find('index.json') !== undefined) return await readOciLayout(spool);
  throw new StatusError(
    'InvalidArgument',
    'Cannot load the archive: it has neither manifest.json nor index.json; give what docker save or an OCI layout is',
  );
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
    read.push({ config, configBytes, manifestBytes: undefined, layers, tags: tags.map(readTag) });
  }
  return read;
}

async function readOciLayout(spool: Spool): Promise<readonly ArchivedImage[]> {
  const layout = parseJson(await spool.read('oci-layout', manifestBytesMost), 'oci-layout');
  if (layout['imageLayoutVersion'] !== '1.0.0') throw damaged('oci-layout names another version than 1.0.0');
  const top = parseManifest(await spool.read('index.json', manifestBytesMost), undefined);
  if (top.kind !== 'index') throw damaged('index.json is no index');
  const entries = top.index.manifests.filter(
    ({ platform }) => platform === undefined || fitsPlatform(platform, hostPlatform()),
  );
  if (entries.length === 0) choosePlatform(top.index.manifests, hostPlatform());
  const byDigest = new Map<string, ArchivedImage>();
  for (const entry of entries) {
    const tags = tagsOf(entry);
    const image = byDigest.get(entry.digest) ?? (await readOciImage(spool, entry));
    byDigest.set(entry.digest, { ...image, tags: [...image.tags, ...tags] });
  }
  return [...byDigest.values()];
}

async function readOciImage(spool: Spool, entry: Descriptor): Promise<ArchivedImage> {
  let bytes = await readBlob(spool, entry, manifestBytesMost);
  let document: ManifestDocument = parseManifest(bytes, entry.mediaType);
  for (let depth = 1; document.kind === 'index'; depth += 1) {
    if (depth > indexDepthMost) throw damaged('its indexes name indexes only');
    const chosen = choosePlatform(document.index.manifests, hostPlatform());
    bytes = await readBlob(spool, chosen, manifestBytesMost);
    document = parseManifest(bytes, chosen.mediaType);
  }
  const { manifest } = document;
  checkManifest(manifest, entry.digest);
  const configBytes = await readBlob(spool, manifest.config, configBytesMost);
  const layers = manifest.layers.map((layer) => getBlob(spool, layer));
  const config = readImage(configBytes, layers.length, entry.digest, undefined);
  return { config, configBytes, manifestBytes: bytes, layers, tags: [] };
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
