import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

import type { Resource } from '#kube/resource.ts';

import type { Random } from '../../kit/random.ts';

const payloadCharactersMost = 20_000;

/** Annotations whose seal fits only when all of them are of one write. */
export function sealedAnnotations(count: number, random: Random): Record<string, string> {
  const text = String.fromCodePoint(97 + random.integer(26)).repeat(random.integer(payloadCharactersMost));
  return { count: String(count), text, seal: sealOf(String(count), text) };
}

/** The number of the write that made an object; fails when it is put together of several. */
export function countOf({ metadata: { name, annotations } }: Resource): number {
  const { count = '', text = '', seal } = annotations ?? {};
  assert.equal(seal, sealOf(count, text), `${String(name)} is torn`);
  return Number(count);
}

function sealOf(count: string, text: string): string {
  return createHash('sha256').update(`${count} ${text}`).digest('hex');
}
