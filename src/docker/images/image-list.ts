import { nowNs } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import type { Image, ImageManifests } from '#engine/images/images.ts';

import type { Context } from '../context.ts';
import { speaks } from '../http/api-version.ts';
import type { Call } from '../http/call.ts';
import type { Filters } from '../http/filters.ts';
import { parseFilters } from '../http/filters.ts';
import type { Reply } from '../http/reply.ts';
import { json } from '../http/reply.ts';
import { isoToNs, parsePointInTime } from '../text/timestamp.ts';
import { shownTo } from '../versions/shown-to.ts';
import { imageSummary } from './image-summary.ts';
import { manifestFields } from './manifest-fields.ts';
import { referencePattern } from './reference-pattern.ts';

const imageFilterNames: readonly string[] = ['before', 'dangling', 'label', 'reference', 'since', 'until'];

/**
 * GET /images/json, the newest first. Without `all`, untagged images that others were built on are left out, and images
 * that their names mean for other platforms only; `manifests` tells of those.
 */
export async function listReply({ engine }: Context, call: Call): Promise<Reply> {
  const filters = listFilters(call);
  const images = engine.images.list();
  const containers = engine.containers.list();
  const parents = new Set(images.map(({ parent }) => parent));
  const all = call.query.flag('all');
  const shared = call.query.flag('shared-size') ? sharedSizes(engine, images) : undefined;
  const matches = imageFilter(engine, filters);
  const dangling = filters.flag('dangling');
  const shown = images
    .filter((image) => all || (isNamed(image) ? isMeant(engine, image) : !parents.has(image.id)))
    .filter((image) => matches(image) && (dangling === undefined || dangling === (image.tags.length === 0)))
    .sort((a, b) => createdMs(b) - createdMs(a));
  const bodies = shown.map(async (image) => ({
    ...imageSummary(withMatchingNames(image, filters), containers, shared?.get(image.id) ?? -1),
    ...(call.query.flag('manifests') && manifestFields(await manifestsOf(engine, image), containers)),
  }));
  return json((await Promise.all(bodies)).map((body) => shownTo(call.version, 'listedImage', body)));
}

function isNamed({ tags, repoDigests }: Image): boolean {
  return tags.length > 0 || repoDigests.length > 0;
}

/** Whether one of its names means it when no platform is said. */
function isMeant({ images }: Context['engine'], { id, tags, repoDigests }: Image): boolean {
  return [...tags, ...repoDigests].some((name) => images.find(name)?.id === id);
}

/** Of one of the image's names, which stand for the same, or of itself. */
async function manifestsOf({ images }: Context['engine'], { id, tags, repoDigests }: Image): Promise<ImageManifests> {
  const name = [...tags, ...repoDigests].find((one) => images.find(one)?.id === id);
  return await images.manifests(name ?? id);
}

/** Before 1.41 a pattern for names had a parameter of its own. Since 1.54 `identity` adds to what `manifests` tells. */
function listFilters({ query, version }: Call): Filters {
  if (speaks(version, 54) && query.flag('identity') && !query.flag('manifests')) {
    throw new StatusError('InvalidArgument', 'conflicting options: identity requires manifests=1');
  }
  const filters = parseFilters(query, imageFilterNames);
  const pattern = speaks(version, 41) ? '' : query.text('filter');
  return pattern === '' || filters.has('reference') ? filters : filters.with('reference', pattern);
}

/** Compiles the filters that lists and prunes have in common. */
export function imageFilter(engine: Context['engine'], filters: Filters): (image: Image) => boolean {
  const patterns = filters.values('reference').map(referencePattern);
  const before = filters.values('before').map((name) => createdMs(engine.images.get(name)));
  const since = filters.values('since').map((name) => createdMs(engine.images.get(name)));
  const until = filters.values('until').map((text) => parsePointInTime(text, nowNs()));
  return (image) =>
    filters.labels('label', image.config.config?.Labels ?? {}) &&
    before.every((time) => createdMs(image) < time) &&
    since.every((time) => createdMs(image) > time) &&
    until.every((time) => isoToNs(image.config.created ?? '1970-01-01T00:00:00Z') < time) &&
    (patterns.length === 0 || patterns.some((pattern) => [...image.tags, ...image.repoDigests].some(pattern)));
}

/** A reference filter also chooses which of an image's names are shown. */
function withMatchingNames(image: Image, filters: Filters): Image {
  if (!filters.has('reference')) return image;
  const patterns = filters.values('reference').map(referencePattern);
  const passes = (name: string): boolean => patterns.some((pattern) => pattern(name));
  return { ...image, tags: image.tags.filter(passes), repoDigests: image.repoDigests.filter(passes) };
}

/** Bytes of each image's layers that other images have too. */
function sharedSizes({ snapshots }: Context['engine'], images: readonly Image[]): ReadonlyMap<string, number> {
  const chains = new Map(images.map((image) => [image.id, chainOf(snapshots, image)]));
  const users = new Map<string, number>();
  for (const chain of chains.values()) for (const { id } of chain) users.set(id, (users.get(id) ?? 0) + 1);
  return new Map(
    [...chains].map(([id, chain]) => [
      id,
      chain.filter((layer) => (users.get(layer.id) ?? 0) > 1).reduce((sum, layer) => sum + layer.sizeBytes, 0),
    ]),
  );
}

function chainOf(
  snapshots: Context['engine']['snapshots'],
  image: Image,
): readonly { readonly id: string; readonly sizeBytes: number }[] {
  const chain = [];
  for (let id = image.topLayer; id !== undefined;) {
    const layer = snapshots.layer(id);
    if (layer === undefined) break;
    chain.push({ id, sizeBytes: layer.sizeBytes });
    id = layer.parent;
  }
  return chain;
}

function createdMs({ config }: Image): number {
  return config.created === undefined ? 0 : Date.parse(config.created);
}
