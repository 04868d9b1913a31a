import { join } from 'node:path';

import { nowNs } from '#base/clock.ts';
import { reasonOf, StatusError } from '#base/errors.ts';
import type { Logger } from '#base/logger.ts';
import { parseImageConfig, parseManifest } from '#formats/oci-json.ts';
import { hexOf } from '#formats/oci.ts';
import type { Digest, Index, Manifest } from '#formats/oci.ts';
import { fullReference, parseReference, withDefaultTag } from '#formats/reference.ts';
import type { Reference } from '#formats/reference.ts';
import type { Attestation } from '../images.ts';
import type { LayerStore } from '../layer-store.ts';
import { BlobFolder } from './blob-folder.ts';
import { chainOf, digestOf } from './chain.ts';
import { isImageRecord, isNameRecord } from './image-record.ts';
import type { AttestationRecord, ImageRecord, NameRecord, StatementRecord, StoredImage } from './image-record.ts';
import { RecordFolder } from './record-folder.ts';

export interface ImageStoreOptions {
  readonly dataDir: string;
  readonly snapshots: LayerStore;
  readonly logger: Logger;
}

/** What a name stands for. */
export interface NameMeaning {
  /** The first is meant when no platform is said; the others came by the same index. */
  readonly images: readonly StoredImage[];
  readonly index: Digest | undefined;
  readonly attestations: readonly AttestationRecord[];
  readonly statements: readonly StatementRecord[];
}

/** A manifest that says something of an image, and the bytes of what it names. */
export interface Statement {
  readonly bytes: Uint8Array;
  readonly blobs: readonly Uint8Array[];
}

/** What is claimed of an image. */
export interface ImageClaim extends Attestation {
  readonly image: Digest;
}

export interface NameTarget {
  readonly images: readonly StoredImage[];
  /** The bytes of the index, or its digest when the store has it. */
  readonly index?: Uint8Array | Digest | undefined;
  /** Those with their predicate, or with its digest when the store has it. */
  readonly attestations?: readonly (ImageClaim | AttestationRecord)[];
  /** Those with their bytes, or with their digests when the store has them. */
  readonly statements?: readonly (Statement | StatementRecord)[];
}

export interface OriginalIndex {
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  readonly index: Index;
  readonly mediaType: string;
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
    for (const [key, record] of await this.#names.load()) {
      if (key !== hexOf(digestOf(record.name))) await this.#names.moveAside(key, 'its name is another');
      else if (!this.#imageById.has(record.image)) await this.#names.moveAside(key, 'its image is not there');
      else {
        this.#rememberName(record);
        for (const digest of documentsOf(record)) blobs.add(digest);
      }
    }
    await this.#blobs.keepOnly(blobs);
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
    return this.meaningOf(reference)?.images[0];
  }

  /** All images that a name stands for, that without a platform first. */
  meaningOf(reference: Reference): NameMeaning | undefined {
    const key = reference.digest === undefined ? withDefaultTag(reference) : { ...reference, tag: undefined };
    const record = this.#nameByText.get(fullReference(key));
    if (record === undefined) return undefined;
    const images = [record.image, ...(record.others ?? [])].flatMap((id) => this.#imageById.get(id) ?? []);
    if (images.length === 0) return undefined;
    const { index, attestations = [], statements = [] } = record;
    return { images, index, attestations, statements };
  }

  /** The index that a name was pulled by; undefined when it is not kept any more. Throws Damaged. */
  async indexOf(digest: Digest): Promise<OriginalIndex | undefined> {
    const bytes = await this.#blobs.get(digest);
    const document = bytes === undefined ? undefined : parseManifest(bytes, undefined);
    if (bytes === undefined || document?.kind !== 'index') return undefined;
    return { bytes, digest, index: document.index, mediaType: document.mediaType };
  }

  /** What is claimed of an image under a name. Throws Damaged. */
  async claimsOf({ attestations }: NameMeaning, id: Digest): Promise<readonly Attestation[]> {
    const claims: Attestation[] = [];
    for (const { image, predicateType, predicate: digest } of attestations) {
      const predicate = image === id ? await this.#blobs.get(digest) : undefined;
      if (predicate !== undefined) claims.push({ predicateType, predicate });
    }
    return claims;
  }

  /** A statement's bytes; undefined when not all of it is kept any more. Throws Damaged. */
  async statementOf({ manifest, blobs }: StatementRecord): Promise<Statement | undefined> {
    const [bytes, ...parts] = await Promise.all([manifest, ...blobs].map((digest) => this.#blobs.get(digest)));
    const whole = parts.filter((part) => part !== undefined);
    return bytes === undefined || whole.length < blobs.length ? undefined : { bytes, blobs: whole };
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
    const [id, newManifest] = await Promise.all([
      this.#blobs.put(configBytes),
      more.manifestBytes === undefined ? undefined : this.#blobs.put(more.manifestBytes),
    ]);
    const before = this.#imageById.get(id);
    const manifest = newManifest ?? before?.manifest;
    const parent = more.parent ?? before?.parent;
    await this.#images.put(hexOf(id), {
      ...(parent === undefined ? {} : { parent }),
      ...(manifest === undefined ? {} : { manifest }),
    });
    const image: StoredImage = { id, config, configBytes, parent, manifest, chain };
    this.#remember(image);
    const old = before?.manifest;
    if (old !== undefined && old !== manifest) await this.#drop(old);
    return image;
  }

  /** Points a name (with a tag or a digest) to an image, or to several of one index; returns what it meant before. */
  async name(reference: Reference, to: NameTarget): Promise<NameMeaning | undefined> {
    const before = this.meaningOf(reference);
    const [image, ...others] = to.images.map(({ id }) => id);
    if (image === undefined) throw new Error('invariant broken: a name stands for an image');
    const index = to.index instanceof Uint8Array ? await this.#blobs.put(to.index) : to.index;
    const attestations = await this.#keepClaims(to.attestations ?? []);
    const statements = await Promise.all((to.statements ?? []).map((one) => this.#keepStatement(one)));
    const old = this.#nameByText.get(fullReference(reference));
    await this.#putName({
      name: fullReference(reference),
      image,
      ...(others.length === 0 ? {} : { others }),
      ...(index === undefined ? {} : { index }),
      ...(attestations.length === 0 ? {} : { attestations }),
      ...(statements.length === 0 ? {} : { statements }),
      taggedNs: nowNs().toString(),
    });
    for (const digest of documentsOf(old)) await this.#drop(digest);
    return before;
  }

  /** Takes one image out of what a name stands for, and the name when nothing is left of it. */
  async leave(reference: Reference, id: Digest): Promise<void> {
    const record = this.#nameByText.get(fullReference(reference));
    if (record === undefined) return;
    const [image, ...others] = [record.image, ...(record.others ?? [])].filter((one) => one !== id);
    if (image === undefined) return await this.unname(reference);
    const { attestations = [] } = record;
    const left = attestations.filter((one) => one.image !== id);
    await this.#putName({ ...record, image, others, attestations: left });
    for (const { predicate } of attestations) await this.#drop(predicate);
  }

  async unname(reference: Reference): Promise<void> {
    const text = fullReference(reference);
    const record = this.#nameByText.get(text);
    this.#forgetName(text);
    await this.#names.remove(hexOf(digestOf(text)));
    for (const digest of documentsOf(record)) await this.#drop(digest);
  }

  /** Deletes an image that has no names any more; its layers are the caller's to sweep. */
  async delete(image: StoredImage): Promise<void> {
    this.#imageById.delete(image.id);
    for (const chainId of image.chain) this.#count(chainId, -1);
    await this.#images.remove(hexOf(image.id));
    await this.#blobs.remove(image.id);
    if (image.manifest !== undefined) await this.#drop(image.manifest);
  }

  #parentOf({ parent }: StoredImage): StoredImage | undefined {
    return parent === undefined ? undefined : this.#imageById.get(parent);
  }

  async #keepClaims(claims: NonNullable<NameTarget['attestations']>): Promise<readonly AttestationRecord[]> {
    const kept: AttestationRecord[] = [];
    for (const { image, predicateType, predicate: given } of claims) {
      const predicate = given instanceof Uint8Array ? await this.#blobs.put(given) : given;
      kept.push({ image, predicateType, predicate });
    }
    return kept;
  }

  async #keepStatement(one: Statement | StatementRecord): Promise<StatementRecord> {
    if ('manifest' in one) return one;
    const blobs = await Promise.all(one.blobs.map((bytes) => this.#blobs.put(bytes)));
    return { manifest: await this.#blobs.put(one.bytes), blobs };
  }

  /** Removes a document that no image and no name needs any more. */
  async #drop(digest: Digest): Promise<void> {
    if (this.list().some(({ manifest }) => manifest === digest)) return;
    if (this.#imageById.has(digest)) return;
    if ([...this.#nameByText.values()].some((record) => documentsOf(record).includes(digest))) return;
    await this.#blobs.remove(digest);
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

  async #putName(record: NameRecord): Promise<void> {
    await this.#names.put(hexOf(digestOf(record.name)), record);
    this.#forgetName(record.name);
    this.#rememberName(record);
  }

  #rememberName(record: NameRecord): void {
    this.#nameByText.set(record.name, record);
    for (const id of [record.image, ...(record.others ?? [])]) {
      this.#namesOf.set(id, (this.#namesOf.get(id) ?? new Set()).add(record.name));
    }
  }

  #forgetName(name: string): void {
    const record = this.#nameByText.get(name);
    if (record === undefined) return;
    this.#nameByText.delete(name);
    for (const id of [record.image, ...(record.others ?? [])]) {
      const names = this.#namesOf.get(id);
      names?.delete(name);
      if (names?.size === 0) this.#namesOf.delete(id);
    }
  }
}

/** The documents in `blobs/` that a name keeps, besides those of its images. */
function documentsOf(record: NameRecord | undefined): readonly Digest[] {
  const { index, attestations = [], statements = [] } = record ?? {};
  return [
    ...(index === undefined ? [] : [index]),
    ...attestations.map(({ predicate }) => predicate),
    ...statements.flatMap(({ manifest, blobs }) => [manifest, ...blobs]),
  ];
}
