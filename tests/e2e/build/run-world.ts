import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { newId } from '#base/ids.ts';
import { silentLogger } from '#base/logger.ts';
import { openBuilder } from '#engine/build/open-builder.ts';
import { createEventLog } from '#engine/events/create-event-log.ts';
import type { Images } from '#engine/images/images.ts';
import { openImages } from '#engine/images/open-images.ts';
import { openNetworks } from '#engine/network/open-networks.ts';
import { removeKernelState } from '#engine/network/remove-kernel-state.ts';
import { OciRuntimes } from '#engine/runtime/oci-runtimes.ts';
import { openStepRunner } from '#engine/runtime/open-step-runner.ts';
import { UserMaps } from '#engine/runtime/user-maps.ts';
import { openSnapshots } from '#engine/snapshots/open-snapshots.ts';
import { parseReference } from '#formats/reference.ts';
import { busyboxTar } from '../../kit/busybox-image.ts';
import { makeRoot } from '../../kit/temp-root.ts';
import { never, type World, worldOf } from './world.ts';

export interface RunWorld extends World, AsyncDisposable {
  readonly images: Images;
  /** Closes all rooms and opens them again on the same folder, as a restart does. */
  reopen(): Promise<void>;
}

/** Where a world is; two of the same place are one after the other. */
export interface Place {
  readonly folder: string;
  readonly instance: string;
}

export function newPlace(): Place {
  return { folder: makeRoot(), instance: newId().slice(0, 6) };
}

/**
 * Everything that a build needs, for real: overlayfs, runc, networks; with the image `busybox:1`. Disposing removes all
 * that was ever made at the place.
 */
export async function openRunWorld(place = newPlace()): Promise<RunWorld> {
  const { folder, instance } = place;
  const runDir = join(folder, 'run');
  let rooms = await openRooms(folder, instance, runDir);
  const config = { Env: ['PATH=/bin'], Cmd: ['sh'] };
  if (rooms.images.find('busybox:1') === undefined)
    await rooms.images.import(
      busyboxTar(),
      { tag: parseReference('busybox:1'), config, created: '2024-01-02T03:04:05Z' },
      never,
    );
  const world = (): World => worldOf(folder, rooms.snapshots, rooms.builder, (id) => rooms.images.find(id));
  let current = world();
  return {
    folder,
    context: current.context,
    get images() {
      return rooms.images;
    },
    get snapshots() {
      return rooms.snapshots;
    },
    get builder() {
      return rooms.builder;
    },
    build: (dockerfile, change, signal) => current.build(dockerfile, change, signal),
    reopen: async () => {
      await rooms[Symbol.asyncDispose]();
      rooms = await openRooms(folder, instance, runDir);
      current = world();
    },
    [Symbol.asyncDispose]: async () => {
      await rooms[Symbol.asyncDispose]();
      removeKernelState({ instance, runDir });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function openRooms(folder: string, instance: string, runDir: string) {
  await using opened = new AsyncDisposableStack();
  const logger = silentLogger;
  const events = createEventLog();
  const data = (room: string): string => join(folder, 'data', room);
  const snapshots = opened.use(await openSnapshots({ dataDir: data('snapshots'), logger }));
  const networks = opened.use(
    await openNetworks({ dataDir: data('networks'), runDir, instance, addressPools: [], events, logger }, never),
  );
  const users = { usersOf: () => [] };
  const images = opened.use(
    await openImages({ dataDir: data('images'), snapshots, events, users, insecureRegistries: [], logger }, never),
  );
  const paths = { crun: '/usr/bin/crun', runc: '/usr/sbin/runc' };
  const runtimes = opened.use(new OciRuntimes({ paths, default: 'auto' }, runDir));
  const userMaps = opened.use(new UserMaps(undefined));
  const runner = { runDir, instance, runtimes, userMaps, snapshots, networks, logger };
  const steps = opened.use(await openStepRunner(runner));
  const builder = opened.use(
    await openBuilder({ dataDir: data('build'), images, snapshots, steps, events, logger }, never),
  );
  const kept = opened.move();
  return { snapshots, images, builder, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
