import { createHash } from 'node:crypto';

import type { Digest, ImageConfig, Platform } from '#formats/oci.ts';
import type { Reference } from '#formats/reference.ts';
import type { Images } from '../images/images.ts';
import type { Snapshots } from '../snapshots/snapshots.ts';
import type { BaseImage, BuildRequest, BuildResult } from './builder.ts';
import { LayerGoneError, type LayerSteps } from './layer-steps.ts';

interface Rooms {
  readonly images: Images;
  readonly snapshots: Snapshots;
  readonly steps: LayerSteps;
}

interface Result {
  readonly config: ImageConfig;
  readonly platform: Platform;
  readonly bases: readonly BaseImage[];
  readonly tags: readonly Reference[];
  readonly take: BuildRequest['take'];
  readonly scan: BuildResult['scan'];
}

/** Adds the image, or gives it to the request's taker; returns its ID. Throws LayerGoneError when `top` is not there. */
export async function deliverImage(
  rooms: Rooms,
  top: Digest | undefined,
  { tags, take, ...result }: Result,
  signal: AbortSignal,
): Promise<Digest> {
  if (take !== undefined) return await handOver(rooms, top, { ...result, take }, signal);
  return await addImage(rooms, top, { config: result.config, tags }, signal);
}

async function addImage(
  { images, snapshots }: Rooms,
  layer: Digest | undefined,
  image: Parameters<Images['add']>[0],
  signal: AbortSignal,
): Promise<Digest> {
  const isGone = (): boolean => layer !== undefined && snapshots.layer(layer) === undefined;
  try {
    if (!isGone()) return (await images.add(image, signal)).id;
  } catch (error) {
    if (!isGone()) throw error;
  }
  throw new LayerGoneError('the topmost layer was removed');
}

async function handOver(
  { images, snapshots, steps }: Rooms,
  layer: Digest | undefined,
  { take, ...result }: Omit<Result, 'tags' | 'take'> & { readonly take: NonNullable<BuildRequest['take']> },
  signal: AbortSignal,
): Promise<Digest> {
  using _hold = layer === undefined ? undefined : images.hold(layer);
  if (layer !== undefined && snapshots.layer(layer) === undefined)
    throw new LayerGoneError('the topmost layer was removed');
  await take([{ ...result, topLayer: layer, openFiles: () => steps.openSnapshot(layer) }], signal);
  return `sha256:${createHash('sha256').update(JSON.stringify(result.config)).digest('hex')}`;
}
