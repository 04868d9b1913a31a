import type { Resource } from '#kube/resource.ts';

/**
 * An object as it is in the store: JSON whose revision is not in it. Bytes are kept, the parsed form only as long as
 * somebody uses it, labels and fields once somebody asked: most objects are never looked into between two writes.
 */
export class StoredObject {
  readonly key: string;
  readonly revision: bigint;
  /** JSON; with the revision in it once `#hasRevision`. */
  #bytes: Buffer;
  #hasRevision = false;
  #parsed: WeakRef<Resource> | undefined;
  #labels: Readonly<Record<string, string>> | undefined;

  constructor(key: string, revision: bigint, bytes: Uint8Array) {
    this.key = key;
    this.revision = revision;
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get sizeBytes(): number {
    return this.#bytes.length;
  }

  /** JSON with its resourceVersion. */
  get json(): Buffer {
    if (this.#hasRevision) return this.#bytes;
    const at = this.#bytes.indexOf(metadataStart) + metadataStart.length;
    this.#bytes = Buffer.concat([this.#bytes.subarray(0, at), Buffer.from(this.#version), this.#bytes.subarray(at)]);
    this.#hasRevision = true;
    return this.#bytes;
  }

  /** With its resourceVersion. Shared by all who ask: nobody changes it. */
  get object(): Resource {
    const known = this.#parsed?.deref();
    if (known !== undefined) return known;
    const parsed = JSON.parse(this.#bytes.toString()) as Resource;
    const object = { ...parsed, metadata: { ...parsed.metadata, resourceVersion: String(this.revision) } };
    this.#parsed = new WeakRef(object);
    return object;
  }

  get labels(): Readonly<Record<string, string>> {
    this.#labels ??= this.object.metadata.labels ?? noLabels;
    return this.#labels;
  }

  /** What another version makes of the same state. */
  as(object: Resource): StoredObject {
    return new StoredObject(this.key, this.revision, encodeObject(object));
  }

  /** The same state at another revision: that of its removal. */
  at(revision: bigint): StoredObject {
    return new StoredObject(this.key, revision, this.#bare);
  }

  /** As it is in the store. */
  get #bare(): Buffer {
    if (!this.#hasRevision) return this.#bytes;
    const at = this.#bytes.indexOf(metadataStart) + metadataStart.length;
    return Buffer.concat([this.#bytes.subarray(0, at), this.#bytes.subarray(at + this.#version.length)]);
  }

  get #version(): string {
    return `"resourceVersion":"${String(this.revision)}",`;
  }
}

const metadataStart = Buffer.from('"metadata":{');
const noLabels: Readonly<Record<string, string>> = {};

/** Bytes of an object for the store: kind and apiVersion first, as clients know it, and no resourceVersion. */
export function encodeObject(object: Resource): Buffer {
  const { kind, apiVersion, metadata, ...rest } = object;
  const { resourceVersion: _, ...kept } = metadata;
  return Buffer.from(JSON.stringify({ kind, apiVersion, metadata: kept, ...rest }));
}
