import { type Clock, machineClock } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import { type Logger, silentLogger } from '#base/logger.ts';
import { type Client, keyOf, keyText, type KindOf, parseKey } from '#kube/client/client.ts';
import { WorkQueue } from '#kube/client/work-queue.ts';
import type { Resource } from '#kube/resource.ts';

import type { Controller, World } from './controller.ts';
import type { SharedInformers } from './shared-informers.ts';

export interface RunOptions {
  /** Objects that are looked at side by side. */
  readonly workers?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/**
 * Runs a controller until the signal aborts: waits until all that it reads is at hand, then calls it for each object that
 * is there and for each that something happened to. Failures are logged and tried again; one object's failures do not
 * keep others waiting.
 */
export async function runController<R extends Resource>(
  controller: Controller<R>,
  client: Client,
  informers: SharedInformers,
  options: RunOptions,
  signal: AbortSignal,
): Promise<void> {
  const clock = options.clock ?? machineClock;
  const queue = new WorkQueue({ clock });
  using listening = new DisposableStack();
  const primary = informers.of(controller.primary);
  const world: World<R> = {
    client,
    primary,
    informer: (kind) => informers.of(known(controller, kind)),
    nowMs: () => clock.nowMs(),
  };
  const reads = [primary, ...controller.inputs.map(({ kind }) => informers.of(kind))];
  listening.use(primary.onChange(({ object }) => queue.add(keyText(keyOf(object)))));
  for (const input of controller.inputs) {
    // What an object concerned before a change is to be looked at too.
    const addAll = (object: Resource): void => {
      for (const key of input.keysOf(object, world as unknown as World<Resource>)) queue.add(keyText(key));
    };
    const onChange = informers.of(input.kind).onChange((change) => {
      addAll(change.object);
      if (change.type === 'modified') addAll(change.before);
    });
    listening.use(onChange);
  }
  const close = (): void => queue.close();
  signal.addEventListener('abort', close, { once: true });
  listening.defer(() => signal.removeEventListener('abort', close));
  if (signal.aborted) return;
  await whenSynced(reads, signal);
  const logger = (options.logger ?? silentLogger).with({ controller: controller.name });
  const work = async (): Promise<void> => {
    for (let key = await queue.take(); key !== undefined; key = await queue.take())
      await workOn(key, controller, world, queue, logger, signal);
  };
  await Promise.all(Array.from({ length: options.workers ?? 2 }, work));
}

async function workOn<R extends Resource>(
  key: string,
  controller: Controller<R>,
  world: World<R>,
  queue: WorkQueue,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  try {
    const { againAfterMs } = await controller.reconcile(parseKey(key), world, signal);
    queue.forget(key);
    if (againAfterMs !== undefined) queue.addAfter(key, againAfterMs);
  } catch (error) {
    if (signal.aborted) return;
    // Somebody was faster; what the memory shows will have caught up when it is tried again.
    const isConflict = error instanceof StatusError && error.reason === 'Conflict';
    const fields = { key, error, failures: queue.failuresOf(key) + 1 };
    if (isConflict) logger.debug('reconcile met a conflict', fields);
    else logger.warn('reconcile failed', fields);
    queue.retry(key);
  } finally {
    queue.done(key);
  }
}

async function whenSynced(reads: readonly { synced: Promise<void> }[], signal: AbortSignal): Promise<void> {
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const onAbort = (): void => resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  await Promise.race([Promise.all(reads.map(({ synced }) => synced)), aborted]);
  signal.removeEventListener('abort', onAbort);
}

/** Reads of a kind that is no input would be of nothing at first. */
function known<R extends Resource, I extends Resource>(
  { name, primary, inputs }: Controller<R>,
  kind: KindOf<I>,
): KindOf<I> {
  const isSame = (one: KindOf): boolean => one.group === kind.group && one.plural === kind.plural;
  if (!isSame(primary) && !inputs.some((input) => isSame(input.kind)))
    throw new Error(`invariant broken: ${kind.kind} is no input of the controller ${name}`);
  return kind;
}
