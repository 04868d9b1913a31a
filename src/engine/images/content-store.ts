import type { Digest } from '#formats/oci.ts';

/** Blobs by their digest that somebody else keeps, such as a client in a folder of its own (OCI image layout). */
export interface ContentStore {
  /** Bytes of a blob; undefined when it is not there. */
  sizeOf(digest: Digest, signal: AbortSignal): Promise<number | undefined>;
  /** Throws NotFound, at the latest with the first bytes. Whoever reads checks what comes. */
  read(digest: Digest, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Keeps bytes, which may be there already. */
  write(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<StoredBlob>;
}

export interface StoredBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
}
