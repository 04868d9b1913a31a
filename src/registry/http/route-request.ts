import type { PullThrough } from '../cache/pull-through.ts';
import type { UpstreamRepository } from '../cache/pull-through.ts';
import { RegistryError } from '../registry-error.ts';
import type { RegistryStore } from '../store/registry-store.ts';
import { blobReply, deleteBlob, unknownBlob } from './blob-endpoints.ts';
import type { UploadEndpoints } from './blob-endpoints.ts';
import { listReply } from './listing.ts';
import { manifestReply, unknownManifest } from './manifest-endpoints.ts';
import type { ManifestEndpoints } from './manifest-endpoints.ts';
import { parseDigest, parseName, parseTagOrDigest } from './names.ts';
import { jsonReply } from './reply.ts';
import type { RegistryCall, RegistryReply } from './reply.ts';

/** What the endpoints work with. */
export interface Endpoints {
  readonly store: RegistryStore;
  readonly uploads: UploadEndpoints;
  readonly manifests: ManifestEndpoints;
  readonly cache: PullThrough | undefined;
  /** Registries whose images are fetched when they are asked for; the first also for names without one. */
  readonly upstreams: readonly string[];
}

const pathPattern = /^\/v2\/(.+)\/(manifests|blobs\/uploads|blobs|tags|referrers)(?:\/(.*))?$/;

/** Finds the endpoint of a request (OCI distribution specification, "Endpoints") and answers. Throws RegistryError. */
export async function routeRequest(endpoints: Endpoints, call: RegistryCall, path: string): Promise<RegistryReply> {
  if (path === '/v2/' || path === '/v2') return only(call, 'GET', 'HEAD') ?? jsonReply({});
  if (path === '/v2/_catalog') {
    only(call, 'GET', 'HEAD');
    const all = await endpoints.store.repositories();
    return listReply(call, path, all, (repositories) => ({ repositories }));
  }
  const [, text = '', kind = '', rest = ''] = pathPattern.exec(path) ?? [];
  if (kind === '') throw new RegistryError('NAME_UNKNOWN', 'there is nothing at this address');
  const name = parseName(text);
  if (kind === 'blobs/uploads') return await upload(endpoints, call, name, rest);
  if (kind === 'blobs') return await blob(endpoints, call, name, rest);
  if (kind === 'manifests') return await manifest(endpoints, call, name, rest);
  only(call, 'GET', 'HEAD');
  if (kind === 'referrers') return await endpoints.manifests.referrers(call, name, parseDigest(rest));
  if (rest !== 'list') throw new RegistryError('NAME_UNKNOWN', 'there is nothing at this address');
  const tags = await endpoints.store.tags(name);
  if (tags.length === 0 && !(await endpoints.store.repositories()).includes(name)) {
    throw new RegistryError('NAME_UNKNOWN', `there is no repository ${name}`);
  }
  return listReply(call, path, tags, (page) => ({ name, tags: page }));
}

async function upload({ uploads }: Endpoints, call: RegistryCall, name: string, id: string): Promise<RegistryReply> {
  if (id === '') return only(call, 'POST') ?? (await uploads.begin(call, name));
  if (call.method === 'GET') return uploads.status(name, id);
  if (call.method === 'PATCH') return await uploads.append(call, name, id);
  if (call.method === 'PUT') return await uploads.end(call, name, id);
  return only(call, 'DELETE') ?? (await uploads.cancel(name, id));
}

async function blob(endpoints: Endpoints, call: RegistryCall, name: string, rest: string): Promise<RegistryReply> {
  const { store, cache } = endpoints;
  const digest = parseDigest(rest);
  if (call.method === 'DELETE') return await deleteBlob(store, name, digest);
  only(call, 'GET', 'HEAD');
  const sizeBytes = await store.blobSize(name, digest);
  if (sizeBytes !== undefined) {
    await store.touchBlob(digest);
    return blobReply(call, digest, sizeBytes, (start, end) => store.readBlob(digest, start, end));
  }
  const upstream = await upstreamOf(endpoints, call, name);
  if (upstream === undefined || cache === undefined) throw unknownBlob(digest);
  const cached = await cache.blob(upstream, digest, call.signal);
  return blobReply(call, digest, cached.sizeBytes, (start, end) => cached.read(start, end));
}

async function manifest(endpoints: Endpoints, call: RegistryCall, name: string, rest: string): Promise<RegistryReply> {
  const { store, manifests, cache } = endpoints;
  const tagOrDigest = parseTagOrDigest(rest);
  if (call.method === 'PUT') return await manifests.put(call, name, tagOrDigest);
  if (call.method === 'DELETE') return await manifests.remove(name, tagOrDigest);
  only(call, 'GET', 'HEAD');
  const found = await store.manifest(name, tagOrDigest);
  if (found !== undefined) return manifestReply(call, found);
  const upstream = await upstreamOf(endpoints, call, name);
  if (upstream === undefined || cache === undefined) throw unknownManifest(tagOrDigest);
  return manifestReply(call, await cache.manifest(upstream, tagOrDigest, call.signal));
}

/**
 * Whose repository a name is that is not here: of the registry that a mirror's client names by `ns`, of one that the name
 * begins with, or of the first.
 */
async function upstreamOf(
  { upstreams, store }: Endpoints,
  { query }: RegistryCall,
  name: string,
): Promise<UpstreamRepository | undefined> {
  const ns = query.get('ns');
  if (ns !== null) return upstreams.includes(ns) ? { domain: ns, path: name } : undefined;
  const [first = '', ...rest] = name.split('/');
  if (upstreams.includes(first) && rest.length > 0) return { domain: first, path: rest.join('/') };
  const [domain] = upstreams;
  const isOwn = (await store.manifests(name)).length > 0;
  return domain === undefined || isOwn ? undefined : { domain, path: name };
}

/** Refuses other methods. */
function only({ method }: RegistryCall, ...allowed: readonly string[]): undefined {
  if (allowed.includes(method)) return undefined;
  throw new RegistryError('UNSUPPORTED', `${method} is not supported here; use ${allowed.join(' or ')}`);
}
