import { type Clock, machineClock } from '#base/clock.ts';
import { reasonOf } from '#base/errors.ts';
import { type Logger, silentLogger } from '#base/logger.ts';
import { keyOf, keyText, parseKey } from '#kube/client/client.ts';
import { Informer } from '#kube/client/informer.ts';
import { WorkQueue } from '#kube/client/work-queue.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '#kube/types/gen/core-v1.ts';
import type { StorageClass } from '#kube/types/gen/storage-v1.ts';

import { provisioner } from './claims.ts';
import { growClaim } from './grow-claim.ts';
import { provisionClaim } from './provision-claim.ts';
import {
  claimLabel,
  claims,
  holderOf,
  persistentVolumes,
  type ProvisionerContext,
  storageClasses,
} from './provisioner-context.ts';
import { reclaimVolume } from './reclaim-volume.ts';

export interface ProvisionerOptions extends ProvisionerContext {
  readonly clock?: Clock;
  readonly logger?: Logger;
}

const defaultClass: StorageClass = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'local-path', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner,
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'WaitForFirstConsumer',
  allowVolumeExpansion: true,
};

interface Views {
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly volumes: Informer<PersistentVolume>;
  readonly classes: Informer<StorageClass>;
}

/**
 * Makes, grows and removes the volumes of claims of the class `local-path` whose pods run on this node, and makes that class
 * when there is none. Runs until the signal aborts; failures are tried again.
 */
export async function runProvisioner(options: ProvisionerOptions, signal: AbortSignal): Promise<void> {
  const { client, clock = machineClock, logger = silentLogger } = options;
  // Told again at each start, before anybody may tidy up.
  for (const { name, labels } of options.volumes.list())
    if (labels[claimLabel] !== undefined) options.volumes.hold(name, holderOf(name));
  const queue = new WorkQueue({ clock });
  const settings = { clock, logger };
  const views: Views = {
    claims: new Informer(client, claims, settings),
    volumes: new Informer(client, persistentVolumes, settings),
    classes: new Informer(client, storageClasses, settings),
  };
  using listening = new DisposableStack();
  const addClaims = (): void => {
    for (const claim of views.claims.list()) queue.add(`claim:${keyText(keyOf(claim))}`);
  };
  listening.use(views.claims.onChange(({ object }) => queue.add(`claim:${keyText(keyOf(object))}`)));
  listening.use(views.classes.onChange(addClaims));
  listening.use(views.volumes.onChange(({ object }) => addVolume(queue, object)));
  const close = (): void => queue.close();
  signal.addEventListener('abort', close, { once: true });
  listening.defer(() => signal.removeEventListener('abort', close));
  if (signal.aborted) return;
  queue.add('class:');
  await Promise.all([
    ...Object.values(views).map(async (informer: Informer<never>) => informer.run(signal)),
    work(queue, views, options, logger, signal),
  ]);
}

function addVolume(queue: WorkQueue, { metadata, spec }: PersistentVolume): void {
  queue.add(`volume:${metadata.name ?? ''}`);
  const { namespace = '', name = '' } = spec?.claimRef ?? {};
  if (name !== '') queue.add(`claim:${keyText({ namespace, name })}`);
}

async function work(
  queue: WorkQueue,
  views: Views,
  context: ProvisionerContext,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
    try {
      await workOn(key, views, context, signal);
      queue.forget(key);
    } catch (error) {
      if (signal.aborted) return;
      if (reasonOf(error) !== 'Conflict') logger.warn('volume of a claim failed', { key, error });
      queue.retry(key);
    } finally {
      queue.done(key);
    }
  }
}

async function workOn(key: string, views: Views, context: ProvisionerContext, signal: AbortSignal): Promise<void> {
  const colon = key.indexOf(':');
  const [what, name] = [key.slice(0, colon), key.slice(colon + 1)];
  if (what === 'class') return makeClass(context, signal);
  if (what === 'volume') {
    const volume = views.volumes.get({ namespace: '', name });
    if (volume !== undefined) await reclaimVolume(volume, context, signal);
    return;
  }
  const claim = views.claims.get(parseKey(name));
  if (claim === undefined) return;
  const storageClass = views.classes.get({ namespace: '', name: claim.spec?.storageClassName ?? '' });
  if (storageClass !== undefined) await provisionClaim(claim, storageClass, context, signal);
  const volume = views.volumes.get({ namespace: '', name: claim.spec?.volumeName ?? '' });
  if (volume !== undefined) await growClaim(claim, volume, context, signal);
}

async function makeClass({ client }: ProvisionerContext, signal: AbortSignal): Promise<void> {
  try {
    await client.create(storageClasses, defaultClass, {}, signal);
  } catch (error) {
    // Somebody's own class of this name is theirs.
    if (reasonOf(error) !== 'Conflict') throw error;
  }
}
