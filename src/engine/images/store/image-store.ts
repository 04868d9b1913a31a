import { join } from 'node:path';

import { nowNs } from '#base/clock.ts';
import { reasonOf, StatusError } from '#base/errors.ts';
import type { Logger } from '#base/logger.ts';
import { parseImageConfig, parseManifest } from '#formats/oci-json.ts';
import { hexOf } from '#formats/oci.ts';
import type { Digest, Manifest } from '#formats/oci.ts';
import { fullReference, parseReference, withDefaultTag } from '#formats/reference.ts';
import type { Reference } from '#formats/reference.ts';
import type { LayerStore } from '../layer-store.ts';
import { BlobFolder } from './blob-folder.ts';
import { chainOf, digestOf } from './chain.ts';
import { isImageRecord, isNameRecord } from './image-record.ts';
import type { ImageRecord, NameRecord, StoredImage } from './image-record.ts';
import { RecordFolder } from './record-folder.ts';

export interface ImageStoreOptions {
  readonly dataDir: string;
  readonly snapshots: LayerStore;
  readonly logger: Logger;
}

export interface OriginalManifest {
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
  readonly mediaType: string;
}

/**
 * Images and their names, in memory and on disk. A change is on disk before it is seen in memory when it adds, and the
 * other way round when it removes, so that what was ever seen survives. Callers serialise changes.
 */
export class ImageStore {
  readonly #snapshots: LayerStore;
  readonly #blobs: BlobFolder;
  readonly #images: RecordFolder<ImageRecord>;
  readonly #names: RecordFolder<NameRecord>;
  readonly #imageById = new Map<Digest, StoredImage>();
  readonly #nameByText = new Map<string, NameRecord>();
  readonly #namesOf = new Map<Digest, Set<string>>();
  readonly #referenceCounts = new Map<Digest, number>();

  constructor({ dataDir, snapshots, logger }: ImageStoreOptions) {
    const asidePath = join(dataDir, 'damaged');
    this.#snapshots = snapshots;
    this.#blobs = new BlobFolder(join(dataDir, 'blobs'));
    this.#images = new RecordFolder({ path: join(dataDir, 'images'), asidePath, logger, isValid: isImageRecord });
    this.#names = new RecordFolder({ path: join(dataDir, 'names'), asidePath, logger, isValid: isNameRecord });
  }

  /** Reads what is on disk. What is broken, or lacks its layers, is reported and moved aside. */
  async open(): Promise<void> {
    await this.#blobs.open();
    const blobs = new Set<Digest>();
    for (const [hex, record] of await this.#images.load()) {
      const image = await this.#restore(`sha256:${hex}`, record);
      if (typeof image === 'string') {
        await this.#images.moveAside(hex, image);
        continue;
      }
      this.#remember(image);
      blobs.add(image.id);
      if (image.manifest !== undefined) blobs.add(image.manifest);
    }
    await this.#blobs.keepOnly(blobs);
    for (const [key, record] of await this.#names.load()) {
      if (key !== hexOf(digestOf(record.name))) await this.#names.moveAside(key, 'its name is another');
      else if (this.#imageById.has(record.image)) this.#rememberName(record);
      else await this.#names.moveAside(key, 'its image is not there');
    }
  }

  get(id: Digest): StoredImage | undefined {
    return this.#imageById.get(id);
  }

  list(): readonly StoredImage[] {
    return [...this.#imageById.values()];
  }

  childrenOf(id: Digest): readonly StoredImage[] {
    return this.list().filter(({ parent }) => parent === id);
  }

  /** The parents that are there, the nearest first. */
  ancestorsOf(image: StoredImage): readonly StoredImage[] {
    const ancestors: StoredImage[] = [];
    for (let next = this.#parentOf(image); next !== undefined; next = this.#parentOf(next)) {
      if (next.id === image.id || ancestors.includes(next)) break;
      ancestors.push(next);
    }
    return ancestors;
  }

  /** Names of an image with tags or digests, sorted. */
  namesOf(id: Digest): readonly Reference[] {
    return [...(this.#namesOf.get(id) ?? [])].toSorted().map(parseReference);
  }

  lastTaggedNs(id: Digest): bigint {
    const times = [...(this.#namesOf.get(id) ?? [])].map((name) => BigInt(this.#nameByText.get(name)?.taggedNs ?? 0));
    return times.reduce((latest, time) => (time > latest ? time : latest), 0n);
  }

  /** The image that a tag, or a digest whatever the tag beside it, names. */
  named(reference: Reference): StoredImage | undefined {
    const key = reference.digest === undefined ? withDefaultTag(reference) : { ...reference, tag: undefined };
    const record = this.#nameByText.get(fullReference(key));
    return record === undefined ? undefined : this.#imageById.get(record.image);
  }

  /** All tags of a repository (a full name) with their images. */
  tagsOf(domain: string, path: string): readonly Reference[] {
    const all = [...this.#nameByText.keys()].map(parseReference);
    return all.filter((one) => one.domain === domain && one.path === path && one.tag !== undefined);
  }

  isReferenced(chainId: Digest): boolean {
    return this.#referenceCounts.has(chainId);
  }

  /** The manifest's bytes, undefined when the image came without; throws Damaged. */
  async manifestOf(image: StoredImage): Promise<Uint8Array | undefined> {
    return image.manifest === undefined ? undefined : await this.#blobs.get(image.manifest);
  }

  /** The manifest that the image came by. Throws Damaged. */
  async originalOf(image: StoredImage): Promise<OriginalManifest | undefined> {
    const bytes = await this.manifestOf(image);
    const document = bytes === undefined ? undefined : parseManifest(bytes, undefined);
    if (bytes === undefined || document?.kind !== 'manifest') return undefined;
    return { bytes, manifest: document.manifest, mediaType: document.mediaType };
  }

  /** Adds an image, or says more about one that is there (its manifest, its parent). */
  async put(
    configBytes: Uint8Array,
    more: { readonly parent?: Digest | undefined; readonly manifestBytes?: Uint8Array | undefined },
  ): Promise<StoredImage> {
    const config = parseImageConfig(configBytes);
    const chain = chainOf(config.rootfs.diff_ids);
    const missing = chain.find((chainId) => this.#snapshots.layer(chainId) === undefined);
    if (missing !== undefined) throw new StatusError('NotFound', `Cannot add an image: layer ${missing} is not there`);
    const id = await this.#blobs.put(configBytes);
    const before = this.#imageById.get(id);
    const manifest = more.manifestBytes === undefined ? before?.manifest : await this.#blobs.put(more.manifestBytes);
    const parent = more.parent ?? before?.parent;
    await this.#images.put(hexOf(id), {
      ...(parent === undefined ? {} : { parent }),
      ...(manifest === undefined ? {} : { manifest }),
    });
    const image: StoredImage = { id, config, configBytes, parent, manifest, chain };
    this.#remember(image);
    const old = before?.manifest;
    if (old !== undefined && old !== manifest) await this.#dropManifest(old);
    return image;
  }

  /** Points a name (with a tag or a digest) to an image; returns the image that had it. */
  async name(reference: Reference, id: Digest): Promise<Digest | undefined> {
    const record: NameRecord = { name: fullReference(reference), image: id, taggedNs: nowNs().toString() };
    const before = this.#nameByText.get(record.name)?.image;
    await this.#names.put(hexOf(digestOf(record.name)), record);
    this.#forgetName(record.name);
    this.#rememberName(record);
    return before;
  }

  async unname(reference: Reference): Promise<void> {
    const text = fullReference(reference);
    this.#forgetName(text);
    await this.#names.remove(hexOf(digestOf(text)));
  }

  /** Deletes an image that has no names any more; its layers are the caller's to sweep. */
  async delete(image: StoredImage): Promise<void> {
    this.#imageById.delete(image.id);
    for (const chainId of image.chain) this.#count(chainId, -1);
    await this.#images.remove(hexOf(image.id));
    await this.#blobs.remove(image.id);
    if (image.manifest !== undefined) await this.#dropManifest(image.manifest);
  }

  #parentOf({ parent }: StoredImage): StoredImage | undefined {
    return parent === undefined ? undefined : this.#imageById.get(parent);
  }

  async #dropManifest(digest: Digest): Promise<void> {
    if (!this.list().some(({ manifest }) => manifest === digest)) await this.#blobs.remove(digest);
  }

  /** The image of a record, or why it cannot be had. */
  async #restore(id: Digest, record: ImageRecord): Promise<StoredImage | string> {
    try {
      const configBytes = await this.#blobs.get(id);
      if (configBytes === undefined) return 'its configuration is not there';
      const config = parseImageConfig(configBytes);
      const chain = chainOf(config.rootfs.diff_ids);
      if (chain.some((chainId) => this.#snapshots.layer(chainId) === undefined)) return 'a layer is not there';
      return { id, config, configBytes, parent: record.parent, manifest: record.manifest, chain };
    } catch (error) {
      if (reasonOf(error) === 'Damaged') return 'its configuration is damaged';
      throw error;
    }
  }

  #remember(image: StoredImage): void {
    if (!this.#imageById.has(image.id)) for (const chainId of image.chain) this.#count(chainId, 1);
    this.#imageById.set(image.id, image);
  }

  #count(chainId: Digest, change: number): void {
    const count = (this.#referenceCounts.get(chainId) ?? 0) + change;
    if (count > 0) this.#referenceCounts.set(chainId, count);
    else this.#referenceCounts.delete(chainId);
  }

  #rememberName(record: NameRecord): void {
    this.#nameByText.set(record.name, record);
    const names = this.#namesOf.get(record.image) ?? new Set();
    this.#namesOf.set(record.image, names.add(record.name));
  }

  #forgetName(name: string): void {
    const record = this.#nameByText.get(name);
    if (record === undefined) return;
    this.#nameByText.delete(name);
    const names = this.#namesOf.get(record.image);
    names?.delete(name);
    if (names?.size === 0) this.#namesOf.delete(record.image);
  }
}
