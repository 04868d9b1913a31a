import { isObject } from '#base/json.ts';
import { hexOf, isDigest } from '#formats/oci.ts';
import type { Digest } from '#formats/oci.ts';
import { RecordFolder } from './record-folder.ts';
import type { RecordFolderOptions } from './record-folder.ts';

/** A compressed form that a layer is known to have in registries. */
export interface BlobNote {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly mediaType: string;
  /** Full names of the repositories that have it, the latest first. */
  readonly repositories: readonly string[];
}

/** What is known of a layer beside its files; it saves work and may be lost. */
export interface LayerNote {
  /** Bytes of its uncompressed tar. */
  readonly tarSizeBytes?: number;
  /** The latest first. */
  readonly blobs: readonly BlobNote[];
}

const blobsMost = 8;
const repositoriesMost = 16;

/** Notes on layers by diffID: with them a push need not send what the registry has. */
export class LayerNotes {
  readonly #folder: RecordFolder<LayerNote>;
  #notes = new Map<string, LayerNote>();

  constructor(options: Omit<RecordFolderOptions<LayerNote>, 'isValid'>) {
    this.#folder = new RecordFolder({ ...options, isValid: isNote });
  }

  async open(known: ReadonlySet<Digest>): Promise<void> {
    this.#notes = await this.#folder.load();
    for (const key of this.#notes.keys()) if (!known.has(`sha256:${key}`)) await this.forget(`sha256:${key}`);
  }

  get(diffId: Digest): LayerNote {
    return this.#notes.get(hexOf(diffId)) ?? { blobs: [] };
  }

  async setTarSize(diffId: Digest, tarSizeBytes: number): Promise<void> {
    if (this.get(diffId).tarSizeBytes !== tarSizeBytes) await this.#put(diffId, { ...this.get(diffId), tarSizeBytes });
  }

  /** Notes that the layer has this compressed form, and that `repository` (a full name), when given, has it. */
  async addBlob(diffId: Digest, blob: Omit<BlobNote, 'repositories'>, repository: string | undefined): Promise<void> {
    const note = this.get(diffId);
    const before = note.blobs.find((one) => one.digest === blob.digest)?.repositories ?? [];
    const known = repository === undefined || before[0] === repository;
    if (known && note.blobs[0]?.digest === blob.digest) return;
    const added = repository === undefined ? [] : [repository];
    const repositories = [...added, ...before.filter((one) => one !== repository)].slice(0, repositoriesMost);
    const others = note.blobs.filter((one) => one.digest !== blob.digest);
    await this.#put(diffId, { ...note, blobs: [{ ...blob, repositories }, ...others].slice(0, blobsMost) });
  }

  async forget(diffId: Digest): Promise<void> {
    if (this.#notes.delete(hexOf(diffId))) await this.#folder.remove(hexOf(diffId));
  }

  async #put(diffId: Digest, note: LayerNote): Promise<void> {
    this.#notes.set(hexOf(diffId), note);
    await this.#folder.put(hexOf(diffId), note);
  }
}

function isNote(value: unknown): value is LayerNote {
  if (!isObject(value) || !Array.isArray(value['blobs'])) return false;
  const size = value['tarSizeBytes'];
  return (size === undefined || Number.isSafeInteger(size)) && value['blobs'].every(isBlob);
}

function isBlob(value: unknown): value is BlobNote {
  if (!isObject(value)) return false;
  const { digest, sizeBytes, mediaType, repositories } = value;
  if (typeof digest !== 'string' || !isDigest(digest) || !Number.isSafeInteger(sizeBytes)) return false;
  return (
    typeof mediaType === 'string' && Array.isArray(repositories) && repositories.every((one) => typeof one === 'string')
  );
}
