import { randomUUID } from 'node:crypto';

import { randomBelow } from '#base/ids.ts';
import type { ObjectMeta, Resource } from '#kube/resource.ts';
import { badRequest } from '#kube/status.ts';

/** No vowels, and nothing that is taken for something else (apimachinery, util/rand). */
const suffixLetters = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;
const nameLengthMost = 63;

/** RFC 3339 with whole seconds. */
export function timeText(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
}

export function withMetadata(object: Resource, changes: Partial<ObjectMeta>): Resource {
  return { ...object, metadata: { ...object.metadata, ...changes } };
}

function withoutMetadata(object: Resource, ...fields: readonly (keyof ObjectMeta)[]): Resource {
  const metadata = Object.fromEntries(
    Object.entries(object.metadata).filter(([name]) => !fields.includes(name as keyof ObjectMeta)),
  );
  return { ...object, metadata };
}

/** Metadata of a new object: what only the server says. Throws BadRequest for a resourceVersion. */
export function newMetadata(object: Resource, nowMs: number): Resource {
  if ((object.metadata.resourceVersion ?? '') !== '')
    throw badRequest('resourceVersion should not be set on objects to be created');
  const bare = withoutMetadata(
    object,
    'resourceVersion',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'uid',
    'creationTimestamp',
    'generation',
  );
  return withMetadata(bare, { uid: randomUUID(), creationTimestamp: timeText(nowMs) });
}

/** Metadata of an object that replaces another: what only the server says stays as it is. */
export function keptMetadata(object: Resource, old: Resource): Resource {
  const { name, namespace, uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation } =
    old.metadata;
  const bare = withoutMetadata(
    object,
    'resourceVersion',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
  );
  return withMetadata(bare, {
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
    ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    ...(deletionGracePeriodSeconds === undefined ? {} : { deletionGracePeriodSeconds }),
    ...(generation === undefined ? {} : { generation }),
  });
}

/** A name that begins with a prefix (apiserver, storage/names). */
export function generatedName(prefix: string): string {
  const letters = Array.from({ length: suffixLength }, () => suffixLetters[randomBelow(suffixLetters.length)]);
  return prefix.slice(0, nameLengthMost - suffixLength) + letters.join('');
}
