import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import type { Engine, ProxySettings } from '#engine/engine.ts';
import { parseLogOptions } from '#engine/logs/options/parse-log-options.ts';
import { openEngine } from '#engine/open-engine.ts';
import type { RuntimePaths } from '#engine/runtime/oci-runtimes.ts';

import type { Plane } from '../plane.ts';
import type { ValuesOf } from '../setting.ts';
import type { engineSettings } from './engine-settings.ts';

export type EngineNeeds = { readonly env: Readonly<Record<string, string | undefined>> };

/** Containers on this machine. */
export const enginePlane: Plane<ValuesOf<typeof engineSettings>, EngineNeeds, Engine> = {
  name: 'engine',
  start: async (config, { env }, { paths, logger, signal }) => {
    const searchPath = env['PATH'] ?? '';
    const dataDir = join(paths.data, 'engine');
    const runDir = join(paths.run, 'engine');
    const defaultLog = { driver: config.logDriver, options: config.logOpts };
    parseLogOptions(defaultLog);
    mkdirSync(dataDir, { recursive: true, mode: 0o711 });
    mkdirSync(runDir, { recursive: true, mode: 0o711 });
    const engine = await openEngine(
      {
        dataDir,
        runDir,
        instance: paths.instance,
        runtimes: { paths: runtimePaths(config, searchPath), default: config.runtime },
        conmonPath: config.conmonPath || requireProgram('conmon', 'engine.conmonPath', searchPath),
        usernsRemap: config.usernsRemap,
        etcFolders: paths.etcFolders,
        addressPools: config.addressPools,
        publishAddress: config.publishAddress,
        respectHostFirewall: config.respectHostFirewall,
        insecureRegistries: config.insecureRegistries,
        mirrors: config.mirrors,
        certificatesPath: config.certificatesPath || paths.certificates,
        blobCacheBytes: config.blobCacheBytes,
        proxy: proxyOf(config, env),
        defaultLog,
        journalSocket: config.journalSocket,
        logger,
      },
      signal,
    );
    const closed = Promise.withResolvers<void>();
    return {
      gives: engine,
      done: closed.promise,
      health: () => ({ state: 'healthy', message: dataDir }),
      [Symbol.asyncDispose]: async () => {
        await engine[Symbol.asyncDispose]();
        closed.resolve();
      },
    };
  },
};

/** As programs find them in an environment, unless the configuration says otherwise. */
export function proxyOf(
  { httpProxy, httpsProxy, noProxy }: ValuesOf<typeof engineSettings>,
  env: EngineNeeds['env'],
): ProxySettings {
  return {
    HTTP_PROXY: httpProxy || env['HTTP_PROXY'] || env['http_proxy'] || '',
    HTTPS_PROXY: httpsProxy || env['HTTPS_PROXY'] || env['https_proxy'] || '',
    NO_PROXY: noProxy || env['NO_PROXY'] || env['no_proxy'] || '',
  };
}

function runtimePaths(config: ValuesOf<typeof engineSettings>, searchPath: string): RuntimePaths {
  const crun = config.crunPath || findProgram('crun', searchPath);
  const runc = config.runcPath || findProgram('runc', searchPath);
  return { ...(crun !== undefined && { crun }), ...(runc !== undefined && { runc }) };
}

/** The first executable of this name in a search path such as `/usr/sbin:/usr/bin`. */
function findProgram(name: string, searchPath: string): string | undefined {
  const folders = searchPath.split(':').filter((folder) => folder.startsWith('/'));
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function requireProgram(name: string, key: string, searchPath: string): string {
  const path = findProgram(name, searchPath);
  if (path !== undefined) return path;
  throw new StatusError(
    'Unavailable',
    `Cannot start plane "engine": ${name} is not on PATH; run ./slipway up, which installs it, or set ${key}`,
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
