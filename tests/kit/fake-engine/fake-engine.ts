import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { silentLogger } from '#base/logger.ts';
import type { Builder, CacheEntry, CachePrune } from '#engine/build/builder.ts';
import type { Engine, EngineOptions } from '#engine/engine.ts';
import { createEventLog } from '#engine/events/create-event-log.ts';
import type { EventLog } from '#engine/events/event-log.ts';
import type { Snapshots } from '#engine/snapshots/snapshots.ts';

import { FakeContainers } from './fake-containers.ts';
import { FakeImageStore } from './fake-image-store.ts';
import { FakeNetworks } from './fake-networks.ts';
import { FakeVolumes } from './fake-volumes.ts';

const cacheEntry: CacheEntry = {
  id: 'step-1',
  kind: 'step',
  description: 'RUN x',
  parents: [],
  inUse: false,
  shared: true,
  sizeBytes: 7,
  createdAtMs: 1_000,
  usedAtMs: 2_000,
  uses: 3,
};

/**
 * An engine in memory for tests of what stands on one: containers whose processes are played (see `FakeProcess`), images
 * without files, networks without packets. Only what a face asks for is there; the rest throws.
 */
export class FakeEngine implements AsyncDisposable {
  readonly options: EngineOptions;
  readonly events: EventLog = createEventLog();
  readonly images = new FakeImageStore();
  readonly networks = new FakeNetworks();
  readonly volumes = new FakeVolumes();
  readonly containers: FakeContainers;
  /** Set by tests that build. */
  build: Builder['build'] = async () => {
    throw new Error('this test does not build');
  };
  /** What was asked of the build cache. */
  readonly prunes: CachePrune[] = [];
  readonly builder: Builder = {
    build: (request, onEvent, signal) => this.build(request, onEvent, signal),
    check: () => [],
    contextPaths: () => undefined,
    fetchContext: async (url, { folder }) => {
      await writeFile(join(folder, 'Dockerfile'), `FROM ${url}`);
      return folder;
    },
    cacheEntries: async () => [cacheEntry],
    pruneCache: async (options) => {
      this.prunes.push(options);
      return options.only?.(cacheEntry) === false
        ? { removed: [], freedBytes: 0 }
        : { removed: ['step-1'], freedBytes: 7 };
    },
  };
  readonly snapshots: Snapshots;
  readonly runtimes = { default: 'crun', names: ['crun', 'runc'] } as const;

  constructor(dataDir: string) {
    this.containers = new FakeContainers(this.events);
    this.containers.root = dataDir;
    this.snapshots = {
      layer: () => undefined,
      layers: () => [],
      writtenBytes: async () => 11,
      upperPath: (id: string) => `/snapshots/${id}/upper`,
      commitCopy: async () => this.images.layer,
    } as unknown as Snapshots;
    this.options = {
      dataDir,
      runDir: dataDir,
      instance: 'test',
      runtimes: { paths: { crun: '/usr/bin/crun', runc: '/usr/sbin/runc' }, default: 'auto' },
      conmonPath: '/usr/bin/conmon',
      usernsRemap: '',
      etcFolders: [],
      addressPools: [{ base: '10.77.0.0/16', size: 24 }],
      publishAddress: '',
      respectHostFirewall: false,
      insecureRegistries: ['registry.test:5000'],
      blobCacheBytes: 0,
      proxy: { HTTP_PROXY: 'http://me:pass@proxy.test:3128', HTTPS_PROXY: '', NO_PROXY: 'a.test' },
      defaultLog: { driver: 'json-file', options: {} },
      journalSocket: '/nowhere/journal',
      logger: silentLogger,
    };
  }

  /** What is missing here is missing on purpose: asking for it fails the test. */
  asEngine(): Engine {
    return trusted(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.containers.killAll();
  }
}

function trusted(fake: unknown): Engine {
  return fake as Engine;
}
