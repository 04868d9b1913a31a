import type { OutgoingHttpHeaders } from 'node:http';

import type { Digest } from '#formats/oci.ts';

import { RegistryError } from '../registry-error.ts';
import type { RegistryStore } from '../store/registry-store.ts';
import type { Upload, Uploads } from '../store/uploads.ts';
import { parsePieceStart, parseRange } from './byte-range.ts';
import { parseDigest } from './names.ts';
import { emptyReply } from './reply.ts';
import type { RegistryCall, RegistryReply } from './reply.ts';

/** GET and HEAD of a blob whose size is known, whole or a range of it ("Pulling blobs"). */
export function blobReply(
  call: RegistryCall,
  digest: Digest,
  sizeBytes: number,
  read: (start: number, end: number) => AsyncIterable<Uint8Array>,
): RegistryReply {
  const range = call.method === 'HEAD' ? undefined : parseRange(call.headers.range, sizeBytes);
  const { start, end } = range ?? { start: 0, end: sizeBytes - 1 };
  const headers: OutgoingHttpHeaders = {
    'accept-ranges': 'bytes',
    'content-type': 'application/octet-stream',
    'content-length': end - start + 1,
    'docker-content-digest': digest,
    etag: `"${digest}"`,
    'cache-control': 'max-age=31536000',
  };
  if (range !== undefined) headers['content-range'] = `bytes ${String(start)}-${String(end)}/${String(sizeBytes)}`;
  const status = range === undefined ? 200 : 206;
  return call.method === 'HEAD' ? { status, headers } : { status, headers, body: read(start, end) };
}

export async function deleteBlob(store: RegistryStore, repository: string, digest: Digest): Promise<RegistryReply> {
  if ((await store.blobSize(repository, digest)) === undefined) throw unknownBlob(digest);
  await store.unlinkBlob(repository, digest);
  return emptyReply(202);
}

export function unknownBlob(digest: Digest): RegistryError {
  return new RegistryError('BLOB_UNKNOWN', `this repository has no blob ${digest}`);
}

/** Blobs on their way in ("Pushing blobs"): at once, in pieces, or from another repository. */
export class UploadEndpoints {
  readonly #store: RegistryStore;
  readonly #uploads: Uploads;

  constructor(store: RegistryStore, uploads: Uploads) {
    this.#store = store;
    this.#uploads = uploads;
  }

  async begin(call: RegistryCall, repository: string): Promise<RegistryReply> {
    const { query } = call;
    const mount = query.get('mount');
    if (mount !== null && (await this.#mount(repository, parseDigest(mount), query.get('from')))) {
      return created(repository, parseDigest(mount));
    }
    const digest = query.get('digest');
    const wanted = digest === null ? undefined : parseDigest(digest);
    const upload = await this.#uploads.begin(repository);
    if (wanted === undefined) return accepted(upload);
    return await this.#finish(call, upload, wanted);
  }

  status(repository: string, id: string): RegistryReply {
    return accepted(this.#uploads.get(repository, id), 204);
  }

  async append(call: RegistryCall, repository: string, id: string): Promise<RegistryReply> {
    const start = parsePieceStart(call.headers['content-range']);
    return accepted(await this.#uploads.append(repository, id, start, call.body));
  }

  async end(call: RegistryCall, repository: string, id: string): Promise<RegistryReply> {
    return await this.#finish(call, this.#uploads.get(repository, id), parseDigest(call.query.get('digest') ?? ''));
  }

  async cancel(repository: string, id: string): Promise<RegistryReply> {
    await this.#uploads.cancel(repository, id);
    return emptyReply(204);
  }

  async #finish(call: RegistryCall, { repository, id }: Upload, digest: Digest): Promise<RegistryReply> {
    const start = parsePieceStart(call.headers['content-range']);
    await this.#uploads.append(repository, id, start, call.body);
    const { path } = await this.#uploads.finish(repository, id, digest);
    await this.#store.adoptBlob(repository, digest, path);
    return created(repository, digest);
  }

  /** Everybody may read everything here, so that a blob may come from wherever it is. */
  async #mount(repository: string, digest: Digest, from: string | null): Promise<boolean> {
    const sources = from === null ? await this.#store.repositories() : [from];
    for (const source of sources) {
      if ((await this.#store.blobSize(source, digest)) === undefined) continue;
      await this.#store.linkBlob(repository, digest);
      return true;
    }
    return false;
  }
}

function created(repository: string, digest: Digest): RegistryReply {
  return emptyReply(201, { location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest });
}

function accepted({ repository, id, sizeBytes }: Upload, status = 202): RegistryReply {
  return emptyReply(status, {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    range: `0-${String(Math.max(sizeBytes - 1, 0))}`,
    'docker-upload-uuid': id,
  });
}
