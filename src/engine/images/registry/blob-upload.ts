import { createHash } from 'node:crypto';

import { StatusError } from '#base/errors.ts';
import type { Digest } from '#formats/oci.ts';
import { hexOf } from '#formats/oci.ts';
import { digestOf } from '../store/chain.ts';
import { discardBody } from './read-body.ts';
import { RegistryRefusal } from './registry-error.ts';
import { isPassing } from './registry-session.ts';
import type { Repository } from './repository.ts';

export interface UploadedBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

const attemptsMost = 3;

/** Sends a small blob at once (OCI distribution specification, "POST then PUT"). */
export async function uploadBytes(
  repository: Repository,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<UploadedBlob> {
  const digest = digestOf(bytes);
  const upload = await startUpload(repository, {}, signal);
  await finishUpload(repository, requireSession(upload), digest, bytes, signal);
  return { digest, sizeBytes: bytes.length };
}

/** A blob that is sent as a stream. */
export interface BlobStream {
  /** Called again when the transfer breaks and starts over. */
  readonly open: () => AsyncIterable<Uint8Array>;
  /** What the bytes must be, when that is known before; other bytes are Damaged and never become a blob. */
  readonly expected?: UploadedBlob;
}

/** Sends a blob as one chunk ("Pushing a blob in chunks"), of unknown length and digest if need be. */
export async function uploadStream(
  repository: Repository,
  blob: BlobStream,
  location: URL | undefined,
  signal: AbortSignal,
): Promise<UploadedBlob> {
  return await repository.refusing(async () => {
    let session = location;
    for (let attempt = 1; ; attempt += 1) {
      try {
        session ??= requireSession(await startUpload(repository, {}, signal));
        return await uploadOnce(repository, blob, session, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (attempt >= attemptsMost || !(isPassing(error) || isUnauthorized(error))) throw error;
        session = undefined;
        await repository.session.pause(attempt, signal);
      }
    }
  });
}

/**
 * Asks for the blob of another repository of the same registry ("Mounting a blob from another repository"). Returns
 * 'mounted', or the location of the upload that the registry began instead.
 */
export async function mountBlob(
  repository: Repository,
  digest: Digest,
  fromPath: string,
  signal: AbortSignal,
): Promise<URL | 'mounted'> {
  return await startUpload(repository, { mount: digest, from: fromPath }, signal);
}

async function startUpload(
  repository: Repository,
  query: { readonly mount?: Digest; readonly from?: string },
  signal: AbortSignal,
): Promise<URL | 'mounted'> {
  const parameters = new URLSearchParams({ ...query }).toString();
  const target = `/v2/${repository.path}/blobs/uploads/${parameters === '' ? '' : `?${parameters}`}`;
  const scopes = [...repository.scopes, ...(query.from === undefined ? [] : [`repository:${query.from}:pull`])];
  const response = await repository.refusing(() =>
    repository.session.request({ method: 'POST', target, scopes, expected: [201, 202] }, signal),
  );
  await discardBody(response);
  if (response.status === 201) return 'mounted';
  return repository.session.resolve(
    response.headers.location ?? '',
    new URL(target, await repository.session.root(signal)),
  );
}

function requireSession(upload: URL | 'mounted'): URL {
  if (upload !== 'mounted') return upload;
  throw new StatusError('Damaged', 'Cannot push: the registry answered an upload as if it were a mount');
}

async function uploadOnce(
  repository: Repository,
  { open, expected }: BlobStream,
  session: URL,
  signal: AbortSignal,
): Promise<UploadedBlob> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of open()) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      yield chunk;
    }
  };
  const response = await repository.session.request(
    {
      method: 'PATCH',
      target: session,
      headers: {
        'content-type': 'application/octet-stream',
        ...(expected === undefined ? {} : { 'content-length': String(expected.sizeBytes) }),
      },
      body: counted(),
      scopes: repository.scopes,
      expected: [202, 204],
    },
    signal,
  );
  await discardBody(response);
  const next = repository.session.resolve(response.headers.location ?? session.href, session);
  const digest: Digest = `sha256:${hash.digest('hex')}`;
  if (expected !== undefined && digest !== expected.digest) {
    throw new StatusError('Damaged', `Cannot push ${expected.digest}: the bytes kept of it have ${digest}`);
  }
  await finishUpload(repository, next, digest, undefined, signal);
  return { digest, sizeBytes };
}

async function finishUpload(
  repository: Repository,
  session: URL,
  digest: Digest,
  body: Uint8Array | undefined,
  signal: AbortSignal,
): Promise<void> {
  const target = new URL(session);
  target.searchParams.set('digest', `sha256:${hexOf(digest)}`);
  const headers = { 'content-type': 'application/octet-stream' };
  const request = { method: 'PUT', target, headers, ...(body === undefined ? {} : { body }) } as const;
  const response = await repository.refusing(() =>
    repository.session.request({ ...request, scopes: repository.scopes, expected: [201, 204, 404] }, signal),
  );
  await discardBody(response);
  // An earlier attempt may have ended the upload although its answer was lost.
  if (response.status !== 404 || (await repository.hasBlob(digest, signal))) return;
  throw new StatusError('Unavailable', `Cannot push ${digest}: registry ${target.host} lost the upload; try again`);
}

/** A token that ran out while the stream was sent; the session has a new one by now. */
function isUnauthorized(error: unknown): boolean {
  return error instanceof RegistryRefusal && error.refusal.status === 401;
}
