import { join } from 'node:path';

import { every } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import { KeyedLock } from '#base/keyed-lock.ts';
import { collect, type Disk, diskOf, planNow } from '#engine/collection/collect.ts';
import type { Collectable, CollectionRules } from '#engine/collection/plan-collection.ts';
import { UnusedSince } from '#engine/collection/unused-since.ts';
import type { Engine } from '#engine/engine.ts';

import type { CollectionReport } from '../control-protocol.ts';
import type { Plane } from '../plane.ts';
import type { DiskShare, ValuesOf } from '../setting.ts';
import type { collectionSettings } from './collection-settings.ts';

type CollectionConfig = ValuesOf<typeof collectionSettings>;

export interface Collector {
  /** Removes what may go, or only says what would. */
  run(options: { readonly dryRun: boolean }, signal: AbortSignal): Promise<CollectionReport>;
}

/** How often it is looked whether the disk is nearly full. */
const pressureLookMs = 15_000;
const msPerMinute = 60_000;
const msPerHour = 3_600_000;

/** Keeps what nobody uses within its budget, all the time. */
export const collectionPlane: Plane<CollectionConfig, { readonly engine: Engine }, Collector> = {
  name: 'gc',
  start: async (config, { engine }, { logger }) => {
    const stop = new AbortController();
    const lock = new KeyedLock();
    const unusedSince = new UnusedSince(join(engine.options.dataDir, 'unused-images.json'), logger);
    const rulesFor = (disk: Disk): CollectionRules => rulesOf(config, disk);
    let last = 'nothing collected yet';
    const run: Collector['run'] = async ({ dryRun }, signal) =>
      lock.run('', async () => {
        const plan = await planNow(engine, unusedSince, rulesFor, signal);
        if (dryRun) return reportOf(plan, 0);
        const freedBytes = plan.length === 0 ? 0 : await collect(engine, plan, signal);
        if (plan.length > 0) {
          last = `${String(plan.length)} things collected last time`;
          for (const { kind, id, name, why } of plan) logger.info('collected', { kind, id, name, why });
        }
        return reportOf(plan, freedBytes);
      });
    const inBackground = (): void => {
      run({ dryRun: false }, stop.signal).catch((error: unknown) => {
        if (!stop.signal.aborted) logger.warn('collection failed', { error: messageOf(error) });
      });
    };
    using owned = new DisposableStack();
    owned.use(every(config.every * msPerMinute, inBackground));
    owned.use(
      every(pressureLookMs, () => {
        const disk = diskOf(engine);
        if (disk.freeBytes < rulesFor(disk).freeLeastBytes) inBackground();
      }),
    );
    const kept = owned.move();
    const closed = Promise.withResolvers<void>();
    return {
      gives: { run },
      done: closed.promise,
      health: () => ({ state: 'healthy', message: last }),
      [Symbol.asyncDispose]: async () => {
        kept.dispose();
        stop.abort(new Error('the daemon stops'));
        await lock.run('', async () => {});
        closed.resolve();
      },
    };
  },
};

function rulesOf(config: CollectionConfig, { totalBytes }: Disk): CollectionRules {
  const bytes = (share: DiskShare): number => ('bytes' in share ? share.bytes : (totalBytes * share.percent) / 100);
  const ms = (hours: number | 'never'): number | undefined => (hours === 'never' ? undefined : hours * msPerHour);
  return {
    buildCacheMostBytes: bytes(config.buildCache),
    freeLeastBytes: bytes(config.minFree),
    danglingMostMs: ms(config.danglingAfter),
    unusedMostMs: ms(config.unusedAfter),
  };
}

function reportOf(plan: readonly Collectable[], freedBytes: number): CollectionReport {
  return { items: plan, freedBytes };
}
