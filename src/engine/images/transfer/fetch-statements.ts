import { reasonOf } from '#base/errors.ts';
import type { Descriptor, Digest, Index } from '#formats/oci.ts';

import type { Repository } from '../registry/repository.ts';
import type { Room } from '../room.ts';
import type { Statement } from '../store/image-store.ts';
import type { Sources } from './sources.ts';

/** Annotations of an index (buildkit: docs/attestations/attestation-storage.md). */
const kindAnnotation = 'vnd.docker.reference.type';
const subjectAnnotation = 'vnd.docker.reference.digest';
const statementKind = 'attestation-manifest';
/** BuildKit makes one for each image, with a document for each claim. */
const maxStatements = 8;
const maxDocuments = 64;
const maxStatementBytes = 64 * 1024 * 1024;

/**
 * What an index says of one of its images: provenance, lists of packages. Kept as it came, so that a push of the index
 * is whole. What is too large or gone is left out, as it is not the image.
 */
export async function fetchStatements(
  room: Room,
  sources: Sources,
  { index, image }: { readonly index: Index; readonly image: Digest },
  signal: AbortSignal,
): Promise<readonly Statement[]> {
  const statements: Statement[] = [];
  for (const { digest } of index.manifests.filter((entry) => isAbout(entry, image)).slice(0, maxStatements)) {
    const fetch = (repository: Repository): Promise<Statement | undefined> => fetchOne(repository, digest, signal);
    const left = (error: unknown): undefined => {
      signal.throwIfAborted();
      room.logger.info('a statement about an image is left out', { digest, reason: reasonOf(error), error });
    };
    const statement = await sources.first(fetch, signal).catch(left);
    if (statement !== undefined) statements.push(statement);
  }
  return statements;
}

/** Whether an entry of an index says something of an image of it. */
function isAbout({ annotations }: Descriptor, image: Digest): boolean {
  return annotations?.[kindAnnotation] === statementKind && annotations[subjectAnnotation] === image;
}

async function fetchOne(repository: Repository, digest: Digest, signal: AbortSignal): Promise<Statement | undefined> {
  const { bytes, document } = await repository.getManifest(digest, signal);
  if (document.kind !== 'manifest') return undefined;
  const { config, layers } = document.manifest;
  const parts = [config, ...layers];
  const sizeBytes = parts.reduce((sum, { size }) => sum + size, 0);
  if (parts.length > maxDocuments || sizeBytes > maxStatementBytes) return undefined;
  const blobs: Uint8Array[] = [];
  for (const part of parts) blobs.push(await repository.getSmallBlob(part, signal));
  return { bytes, blobs };
}
