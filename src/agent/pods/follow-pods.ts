import { type Clock, machineClock } from '#base/clock.ts';
import { reasonOf } from '#base/errors.ts';
import { type Logger, silentLogger } from '#base/logger.ts';
import { keyOf, keyText, type ObjectKey, parseKey } from '#kube/client/client.ts';
import { Informer } from '#kube/client/informer.ts';
import { WorkQueue } from '#kube/client/work-queue.ts';
import type { Pod } from '#kube/types/gen/core-v1.ts';

import { containerLabels } from '../container-spec.ts';
import type { ClientSources } from '../environment/client-sources.ts';
import type { PodFacts } from '../environment/pod-sources.ts';
import { PodProbes } from '../probes/pod-probes.ts';
import { createProber } from '../probes/prober.ts';
import { followSources } from '../volumes/follow-sources.ts';
import { factsOf, pods, type PodTools } from './pod-tools.ts';
import { readPod, uidsOf } from './read-pod.ts';
import { StartBackoffs } from './start-backoffs.ts';
import { syncPod } from './sync-pod.ts';

export interface FollowPodsOptions extends Omit<PodTools, 'prober' | 'probes' | 'starts'> {
  readonly sources: ClientSources;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Pods that are worked on side by side. */
  readonly workers?: number;
}

const defaultWorkers = 8;
/** Failures that are nobody's fault in particular, such as an API that is away. */
const retryMs = { first: 100, most: 300_000 };

/**
 * Runs the pods that are bound to this node until the signal aborts; their containers go on then. What the API does not know
 * of any more is ended.
 */
export async function followPods(options: FollowPodsOptions, signal: AbortSignal): Promise<void> {
  const { client, engine, node, clock = machineClock, logger = silentLogger } = options;
  const queue = new WorkQueue({ clock, firstDelayMs: retryMs.first, longestDelayMs: retryMs.most });
  const fieldSelector = `spec.nodeName=${node.nodeName}`;
  const informer = new Informer(client, pods, { fieldSelector, clock, logger });
  using listening = new DisposableStack();
  listening.use(informer.onChange(({ object }) => queue.add(keyText(keyOf(object)))));
  const close = (): void => queue.close();
  signal.addEventListener('abort', close, { once: true });
  listening.defer(() => signal.removeEventListener('abort', close));
  if (signal.aborted) return;
  const running = informer.run(signal);
  await Promise.race([informer.synced, running]);
  if (signal.aborted) return running;
  for (const uid of [...uidsOf(undefined, engine), ...options.volumes.list(), ...options.messages.list()])
    if (!informer.list().some(({ metadata }) => metadata.uid === uid)) queue.add(`uid:${uid}`);
  const prober = createProber(engine.containers);
  const onChange = (pod: Pod): void => queue.add(keyText(keyOf(pod)));
  using probes = new PodProbes({ prober, record: options.record, onChange, clock });
  const tools: PodTools = { ...options, prober, probes, starts: new StartBackoffs() };
  const worker = new Worker(tools, informer, queue, clock, logger);
  const workers = Array.from({ length: options.workers ?? defaultWorkers }, async () => worker.run(signal));
  const opened = (): readonly { readonly pod: Pod; readonly facts: PodFacts }[] =>
    informer.list().map((pod) => ({ pod, facts: factsOfRunning(tools, pod) }));
  const { sources, volumes } = options;
  const following = followSources({ sources, volumes, pods: opened, clock, logger }, signal);
  await Promise.all([running, follow(tools, queue, signal), following, ...workers]);
}

function factsOfRunning(options: PodTools, { metadata }: Pod): PodFacts {
  return factsOf(options, readPod(metadata.uid ?? '', options.engine).sandbox?.ips ?? []);
}

/** Looks at a pod when one of its containers has ended. */
async function follow({ engine }: PodTools, queue: WorkQueue, signal: AbortSignal): Promise<void> {
  try {
    for await (const { type, action, attributes } of engine.events.subscribe({}, signal)) {
      const [namespace, name] = [attributes[containerLabels.namespace], attributes[containerLabels.pod]];
      if (type === 'container' && action === 'die' && namespace !== undefined && name !== undefined)
        queue.add(keyText({ namespace, name }));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

class Worker {
  readonly #tools: PodTools;
  readonly #informer: Informer<Pod>;
  readonly #queue: WorkQueue;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(tools: PodTools, informer: Informer<Pod>, queue: WorkQueue, clock: Clock, logger: Logger) {
    this.#tools = tools;
    this.#informer = informer;
    this.#queue = queue;
    this.#clock = clock;
    this.#logger = logger;
  }

  async run(signal: AbortSignal): Promise<void> {
    for (let key = await this.#queue.take(); key !== undefined; key = await this.#queue.take()) {
      try {
        if (key.startsWith('uid:')) await this.#end(key.slice('uid:'.length), signal);
        else await this.#sync(parseKey(key), key, signal);
        this.#queue.forget(key);
      } catch (error) {
        if (signal.aborted) return;
        if (reasonOf(error) !== 'Conflict') this.#logger.warn('pod failed', { key, error });
        this.#queue.retry(key);
      } finally {
        this.#queue.done(key);
      }
    }
  }

  async #sync(key: ObjectKey, text: string, signal: AbortSignal): Promise<void> {
    const pod = this.#informer.get(key);
    const uid = pod?.metadata.uid;
    // A pod of the same name that is no more makes room first.
    for (const other of uidsOf(key, this.#tools.engine)) if (other !== uid) await this.#end(other, signal);
    if (pod === undefined || uid === undefined) return;
    const { againAtMs } = await syncPod(pod, this.#tools, signal);
    if (againAtMs !== undefined) this.#queue.addAfter(text, Math.max(0, againAtMs - this.#clock.nowMs()));
  }

  /** Ends what there is of a pod that the API has no object of. */
  async #end(uid: string, signal: AbortSignal): Promise<void> {
    const { engine, volumes, messages, starts } = this.#tools;
    const { sandbox, runs } = readPod(uid, engine);
    await Promise.all(
      runs.map(async ({ id }) => {
        await engine.containers.stop(id, {}, signal);
        await engine.containers.remove(id, { force: true, volumes: true }, signal);
      }),
    );
    if (sandbox !== undefined) await engine.sandboxes.close(sandbox.id);
    await volumes.close(uid);
    messages.forget(uid);
    starts.forget(uid);
  }
}
