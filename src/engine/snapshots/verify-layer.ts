import { reasonOf, type StatusError } from '#base/errors.ts';

import type { LayerRecord, LayerStore } from './layer-store.ts';
import { packLayer } from './pack-layer.ts';

/**
 * Packs the layer as for a registry, which compares all its bytes with its diffID, and notes in the store what is found.
 * Returns what is wrong.
 */
export async function verifyLayer(
  store: LayerStore,
  record: LayerRecord,
  signal: AbortSignal,
): Promise<string | undefined> {
  const damage = await findDamage(store, record, signal);
  await store.noteDamage(record.chainId, damage);
  return damage;
}

async function findDamage(store: LayerStore, record: LayerRecord, signal: AbortSignal): Promise<string | undefined> {
  try {
    for await (const _ of packLayer(store, record, signal));
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (reasonOf(error) !== 'Damaged') throw error;
    const { cause } = error as StatusError;
    return cause instanceof Error ? `a file of it is gone: ${cause.message}` : 'its files are not those of its digest';
  }
}
