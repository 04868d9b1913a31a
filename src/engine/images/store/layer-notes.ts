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

/** What was learned of a layer. */
export interface AddedNote {
  readonly diffId: Digest;
  /** Bytes of its uncompressed tar. */
  readonly tarSizeBytes?: number | undefined;
  /** A compressed form of it. */
  readonly blob?: Omit<BlobNote, 'repositories'>;
  /** Full name of one that has the blob. */
  readonly repository?: string | undefined;
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

  /** Adds what was learned of some layers, each named once. */
  async add(added: readonly AddedNote[]): Promise<void> {
    const changed = new Map<string, LayerNote>();
    for (const one of added) {
      const before = this.get(one.diffId);
      const note = withBlob(withTarSize(before, one.tarSizeBytes), one);
      if (note !== before) changed.set(hexOf(one.diffId), note);
    }
    for (const [key, note] of changed) this.#notes.set(key, note);
    await this.#folder.putAll(changed);
  }

  async forget(diffId: Digest): Promise<void> {
    if (this.#notes.delete(hexOf(diffId))) await this.#folder.remove(hexOf(diffId));
  }
}

function withTarSize(note: LayerNote, tarSizeBytes: number | undefined): LayerNote {
  return tarSizeBytes === undefined || note.tarSizeBytes === tarSizeBytes ? note : { ...note, tarSizeBytes };
}

function withBlob(note: LayerNote, { blob, repository }: AddedNote): LayerNote {
  if (blob === undefined) return note;
  const before = note.blobs.find((one) => one.digest === blob.digest)?.repositories ?? [];
  const known = repository === undefined || before[0] === repository;
  if (known && note.blobs[0]?.digest === blob.digest) return note;
  const added = repository === undefined ? [] : [repository];
  const repositories = [...added, ...before.filter((one) => one !== repository)].slice(0, repositoriesMost);
  const others = note.blobs.filter((one) => one.digest !== blob.digest);
  return { ...note, blobs: [{ ...blob, repositories }, ...others].slice(0, blobsMost) };
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
