import { StatusError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import { parseImageConfig, parseJson } from './oci-json.ts';
import { type Digest, isDigest } from './oci.ts';

/** Steps of builds and the layers that they made, as one machine tells another; see docs/adr/0007. */
export interface BuildCache {
  /** In the order of the manifest that has them; a layer's parent comes before it. */
  readonly layers: readonly { readonly diffId: Digest; readonly parent: number | undefined }[];
  readonly steps: readonly BuildCacheStep[];
}

export interface BuildCacheStep {
  /** 64 hexadecimal digits. */
  readonly key: string;
  /** Index of the topmost layer after the step; undefined: it changed no file. */
  readonly layer: number | undefined;
  /** Milliseconds since the epoch. */
  readonly createdAtMs: number;
  readonly description: string;
}

/** Media type of a cache of its own. */
export const buildCacheType = 'application/vnd.slipway.build-cache.v1+json';
/** The field of an image's configuration that says by which steps its layers were made. */
export const inlineCacheField = 'slipway.build-cache.v1';

const stepsMost = 10_000;
const descriptionMost = 1_000;

export function formatBuildCache({ layers, steps }: BuildCache): Uint8Array {
  return Buffer.from(JSON.stringify({ layers, steps }));
}

/** Reads a cache of its own. Throws Damaged. */
export function parseBuildCache(bytes: Uint8Array): BuildCache {
  const { layers, steps } = parseJson(bytes, 'build cache');
  if (!Array.isArray(layers)) throw damaged('layers is no list');
  const read = layers.map((layer: unknown, index) => readLayer(layer, index));
  return { layers: read, steps: readSteps(steps, read.length) };
}

/** What an image's configuration says of its own steps; undefined when it says nothing. Throws Damaged. */
export function parseInlineCache(configBytes: Uint8Array): BuildCache | undefined {
  const config: unknown = parseImageConfig(configBytes);
  const steps = isObject(config) ? config[inlineCacheField] : undefined;
  if (steps === undefined) return undefined;
  const layers = parseImageConfig(configBytes).rootfs.diff_ids.map((diffId, index) => {
    return { diffId, parent: index === 0 ? undefined : index - 1 };
  });
  return { layers, steps: readSteps(steps, layers.length) };
}

function readLayer(value: unknown, index: number): BuildCache['layers'][number] {
  const { diffId, parent } = isObject(value) ? value : {};
  if (typeof diffId !== 'string' || !isDigest(diffId)) throw damaged('a layer has no diffId');
  if (parent === undefined) return { diffId, parent };
  if (isIndex(parent, index)) return { diffId, parent };
  throw damaged('a layer comes before its parent');
}

function readSteps(value: unknown, layers: number): readonly BuildCacheStep[] {
  if (!Array.isArray(value) || value.length > stepsMost) throw damaged('steps is no list, or too long');
  return value.map((step: unknown) => {
    const { key, layer, createdAtMs, description } = isObject(step) ? step : {};
    if (typeof key !== 'string' || !/^[0-9a-f]{64}$/.test(key)) throw damaged('a step has no key');
    if (layer !== undefined && !isIndex(layer, layers)) throw damaged('a step names a layer that is not there');
    if (typeof createdAtMs !== 'number' || !isTime(createdAtMs)) throw damaged('a step has no time');
    const text = typeof description === 'string' ? description.slice(0, descriptionMost) : '';
    return { key, layer, createdAtMs, description: text };
  });
}

function isIndex(value: unknown, end: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < end;
}

/** What a Date can hold. */
function isTime(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) <= 8.64e15;
}

function damaged(why: string): StatusError {
  return new StatusError('Damaged', `Cannot read build cache: ${why}`);
}
