import type { CacheSource, CacheTarget } from '#engine/build/builder.ts';

import type { ClientSession } from '../session/client-session.ts';
import { clientStore } from '../session/client-store.ts';
import type { ActiveBuild } from './active-build.ts';
import { cacheSources, cacheTargets } from './cache-options.ts';

/** The caches that a client names, its folders as stores that it lends (buildkit: client/solve.go, parseCacheOptions). */
export function openCaches(
  build: ActiveBuild,
  session: ClientSession,
  attributes: ReadonlyMap<string, string>,
): { readonly cacheFrom: readonly CacheSource[]; readonly cacheTo: readonly CacheTarget[] } {
  const storeOf = (folder: string) => clientStore(session, `local:${folder}`);
  return {
    cacheFrom: cacheSources(attributes).map((source) => {
      if (typeof source === 'string') return source;
      return { name: source.folder, store: storeOf(source.folder), digest: source.digest };
    }),
    cacheTo: cacheTargets(build.request.cache?.exports ?? []).map((target) => {
      if (target.kind !== 'folder') return target;
      const { folder, mode, ignoresErrors } = target;
      const onStored = (manifest: object): void => {
        // By it the client writes the index of its folder.
        build.response.set('cache.manifest', JSON.stringify(manifest));
      };
      return { kind: 'store', name: folder, store: storeOf(folder), mode, ignoresErrors, onStored };
    }),
  };
}
