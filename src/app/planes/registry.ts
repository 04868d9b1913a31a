import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import type { ProxySettings } from '#engine/engine.ts';
import { HttpTransport, isLoopback } from '#engine/images/registry/http-transport.ts';
import { RegistrySession } from '#engine/images/registry/registry-session.ts';
import { serveRegistry } from '#registry/serve-registry.ts';
import type { RunningRegistry } from '#registry/serve-registry.ts';

import type { Plane } from '../plane.ts';
import type { ValuesOf } from '../setting.ts';
import type { registrySettings } from './registry-settings.ts';

type Settings = ValuesOf<typeof registrySettings>;

export interface RegistryNeeds {
  readonly insecureRegistries: readonly string[];
  readonly certificatesPath: string;
  readonly proxy: ProxySettings;
}

const idleTimeoutMs = 60_000;
const retryDelayMs = 500;

/** The built-in registry; off unless it is told where to listen. */
export const registryPlane: Plane<Settings, RegistryNeeds, RunningRegistry | undefined> = {
  name: 'registry',
  start: async (settings, { insecureRegistries, certificatesPath, proxy }, { paths, logger }) => {
    const closed = Promise.withResolvers<void>();
    if (settings.listen === '') {
      return {
        gives: undefined,
        done: closed.promise,
        health: () => ({ state: 'healthy', message: 'off; set registry.listen' }),
        [Symbol.asyncDispose]: async () => await Promise.resolve(closed.resolve()),
      };
    }
    const [, host = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(settings.listen) ?? [];
    const tls = tlsOf(settings);
    if (!isLoopback(host) && host !== '::1' && (tls === undefined || settings.htpasswdPath === '')) {
      throw new StatusError(
        'InvalidArgument',
        `Cannot start the registry on ${host}: others reach it there; set registry.certificatePath, ` +
          'registry.keyPath and registry.htpasswdPath, or listen on 127.0.0.1',
      );
    }
    await using opened = new AsyncDisposableStack();
    const transport = opened.use(new HttpTransport({ idleTimeoutMs, certificatesPath, proxy: { ...proxy } }));
    const registry = opened.use(
      await serveRegistry({
        dataDir: join(paths.data, 'registry'),
        host,
        port: Number(port),
        tls,
        htpasswdPath: settings.htpasswdPath || undefined,
        upstreams: settings.upstreams,
        cacheBytes: settings.cacheBytes,
        connect: (domain) => {
          return new RegistrySession({ transport, domain, auth: undefined, insecureRegistries, retryDelayMs });
        },
        logger,
      }),
    );
    const kept = opened.move();
    return {
      gives: registry,
      done: closed.promise,
      health: () => ({ state: 'healthy', message: registry.address }),
      [Symbol.asyncDispose]: async () => {
        await kept.disposeAsync();
        closed.resolve();
      },
    };
  },
};

function tlsOf({ certificatePath, keyPath }: Settings): { certificatePath: string; keyPath: string } | undefined {
  if (certificatePath === '' && keyPath === '') return undefined;
  if (certificatePath !== '' && keyPath !== '') return { certificatePath, keyPath };
  throw new StatusError(
    'InvalidArgument',
    'Cannot start the registry: registry.certificatePath and registry.keyPath go together; set both or none',
  );
}
