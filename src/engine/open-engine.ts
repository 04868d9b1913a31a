import { join } from 'node:path';

import type { Engine, EngineOptions } from './engine.ts';
import { openBuilder } from './build/open-builder.ts';
import { createEventLog } from './events/create-event-log.ts';
import type { ImageUsers } from './images/images.ts';
import { openImages } from './images/open-images.ts';
import { openNetworks } from './network/open-networks.ts';
import type { Containers } from './runtime/containers.ts';
import { OciRuntimes } from './runtime/oci-runtimes.ts';
import { openContainers } from './runtime/open-containers.ts';
import { openStepRunner } from './runtime/open-step-runner.ts';
import { openUserMaps } from './runtime/user-maps.ts';
import { openPodSandboxes } from './sandboxes/open-pod-sandboxes.ts';
import { openSnapshots } from './snapshots/open-snapshots.ts';
import { openVolumes } from './volumes/open-volumes.ts';

/**
 * Opens everything that runs containers on this machine and brings it in line with what is there: containers that still
 * run are taken over, exits that nobody saw are noted, half-made things are removed. Closing leaves containers running.
 */
export async function openEngine(options: EngineOptions, signal: AbortSignal): Promise<Engine> {
  const { runDir, instance, conmonPath, proxy, journalSocket, logger } = options;
  await using opened = new AsyncDisposableStack();
  const folder = (room: string): string => join(options.dataDir, room);
  const log = (room: string) => logger.with({ component: room });
  const events = createEventLog();
  const snapshots = opened.use(await openSnapshots({ dataDir: folder('snapshots'), logger: log('snapshots') }));
  const volumes = opened.use(await openVolumes({ dataDir: folder('volumes'), events, logger: log('volumes') }));
  const networking = { ...networkingOf(options), dataDir: folder('networks'), events, logger: log('networks') };
  const networks = opened.use(await openNetworks(networking, signal));
  const sandboxes = openPodSandboxes({ folder: join(runDir, 'sandboxes'), networks, logger: log('sandboxes') });
  const users = new LateUsers();
  const images = opened.use(
    await openImages(
      {
        dataDir: folder('images'),
        snapshots,
        events,
        users,
        ...registriesOf(options),
        logger: log('images'),
      },
      signal,
    ),
  );
  const runtimes = opened.use(new OciRuntimes(options.runtimes, runDir));
  const { usernsRemap: remap, etcFolders, dataDir } = options;
  const userMaps = opened.use(await openUserMaps({ remap, etcFolders, dataDir, runDir }));
  const runtime = { runDir, instance, runtimes, userMaps, snapshots, networks };
  const containers = opened.use(
    await openContainers(
      {
        ...runtime,
        dataDir: folder('containers'),
        conmonPath,
        journalSocket,
        images,
        sandboxes,
        volumes,
        events,
        logger: log('containers'),
      },
      signal,
    ),
  );
  users.containers = containers;
  const steps = opened.use(await openStepRunner({ ...runtime, logger: log('build-steps') }));
  const builder = opened.use(
    await openBuilder(
      { dataDir: folder('build'), images, snapshots, steps, events, proxy: { ...proxy }, logger: log('build') },
      signal,
    ),
  );
  await containers.reconcile(signal);
  const kept = opened.move();
  return {
    options,
    runtimes,
    images,
    snapshots,
    containers,
    networks,
    sandboxes,
    volumes,
    builder,
    events,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function networkingOf({ runDir, instance, addressPools, publishAddress, respectHostFirewall }: EngineOptions) {
  return { runDir, instance, addressPools, publishAddress, respectHostFirewall };
}

function registriesOf(options: EngineOptions) {
  const { insecureRegistries, blobCacheBytes, proxy, mirrors, certificatesPath } = options;
  return {
    insecureRegistries,
    blobCacheBytes,
    proxy: { ...proxy },
    ...(mirrors !== undefined && { mirrors }),
    ...(certificatesPath !== undefined && { certificatesPath }),
  };
}

/** Containers as users of images; images are opened first, so the containers come later. */
class LateUsers implements ImageUsers {
  containers: Containers | undefined;

  usersOf(imageId: string): readonly { readonly id: string; readonly running: boolean }[] {
    return (this.containers?.list() ?? [])
      .filter(({ spec }) => spec.imageId === imageId)
      .map(({ id, state }) => ({ id, running: state.status === 'running' || state.status === 'paused' }));
  }
}
