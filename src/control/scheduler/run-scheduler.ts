import { type Clock, machineClock } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import { randomBelow } from '#base/ids.ts';
import { type Logger, silentLogger } from '#base/logger.ts';
import { type Client, keyOf, keyText, kindOf } from '#kube/client/client.ts';
import { namespace as namespaceKind } from '#kube/kinds/core/namespace.ts';
import { node as nodeKind } from '#kube/kinds/core/node.ts';
import { persistentVolume } from '#kube/kinds/core/persistent-volume.ts';
import { persistentVolumeClaim } from '#kube/kinds/core/persistent-volume-claim.ts';
import { pod as podKind } from '#kube/kinds/core/pod.ts';
import { storageClass } from '#kube/kinds/storage/storage-class.ts';
import type { Resource } from '#kube/resource.ts';
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, PodCondition } from '#kube/types/gen/core-v1.ts';
import type { StorageClass } from '#kube/types/gen/storage-v1.ts';

import { recordEvent, timeText } from '../controllers/record-event.ts';
import type { SharedInformers } from '../shared-informers.ts';
import { chooseNode } from './choose-node.ts';
import { ClusterState } from './cluster-state.ts';
import { type PodInfo, podInfoOf } from './node-info.ts';
import type { ClusterView } from './plugin.ts';
import { SchedulingQueue } from './scheduling-queue.ts';
import { claimNames } from './volume-binding.ts';

export interface SchedulerOptions {
  readonly client: Client;
  readonly informers: SharedInformers;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** A whole number below the given one. */
  readonly random?: (below: number) => number;
}

const schedulerName = 'default-scheduler';
const nodes = kindOf<Node>(nodeKind);
const pods = kindOf<Pod>(podKind);
const claims = kindOf<PersistentVolumeClaim>(persistentVolumeClaim);
const volumes = kindOf<PersistentVolume>(persistentVolume);
const classes = kindOf<StorageClass>(storageClass);
const namespaces = kindOf<Resource>(namespaceKind);
const bindings = { ...podKind, kind: 'Binding' };
const selectedNode = 'volume.kubernetes.io/selected-node';
/** Bindings that are being written at a time. */
const bindingsMost = 64;

/** Gives pods their nodes until the signal aborts (kube-scheduler's default profile, without preemption). */
export async function runScheduler(options: SchedulerOptions, signal: AbortSignal): Promise<void> {
  const { informers, clock = machineClock } = options;
  const state = new ClusterState();
  const queue = new SchedulingQueue(clock);
  const of = {
    nodes: informers.of(nodes),
    pods: informers.of(pods),
    claims: informers.of(claims),
    volumes: informers.of(volumes),
    classes: informers.of(classes),
    namespaces: informers.of(namespaces),
  };
  const view: ClusterView = {
    nodes: state.nodes,
    namespace: (name) => of.namespaces.get({ namespace: '', name }),
    claim: (namespace, name) => of.claims.get({ namespace, name }),
    volume: (name) => of.volumes.get({ namespace: '', name }),
    storageClass: (name) => of.classes.get({ namespace: '', name }),
  };
  await Promise.race([Promise.all(Object.values(of).map(({ synced }) => synced)), aborted(signal)]);
  using listening = new DisposableStack();
  listening.defer(() => queue.close());
  const close = (): void => queue.close();
  signal.addEventListener('abort', close, { once: true });
  listening.defer(() => signal.removeEventListener('abort', close));
  if (signal.aborted) return;
  const again = (): void => queue.moveAll();
  listening.use(
    of.nodes.onChange((change) => {
      state.onNode(change);
      if (change.type !== 'modified' || isOther(change.before, change.object)) again();
    }),
  );
  listening.use(
    of.pods.onChange((change) => {
      state.onPod(change);
      const { object } = change;
      const key = keyText(keyOf(object));
      if (change.type !== 'deleted' && isOurs(object)) queue.add(key, object.spec?.priority ?? 0);
      else queue.remove(key);
      // Room has come, or somebody whom others want to be near.
      if (change.type === 'deleted' || !isOurs(object)) again();
    }),
  );
  for (const informer of [of.claims, of.volumes, of.classes]) listening.use(informer.onChange(again));
  const scheduler = new Scheduler(options, state, view, queue);
  await scheduler.run((key) => of.pods.get(key), signal);
}

function isOurs({ spec = {}, metadata, status }: Pod): boolean {
  const isOpen = (spec.nodeName ?? '') === '' && metadata.deletionTimestamp === undefined;
  const isOver = ['Succeeded', 'Failed'].includes(status?.phase ?? '');
  return isOpen && !isOver && (spec.schedulerName ?? schedulerName) === schedulerName;
}

/** A heartbeat alone lets no pod in that was kept out before. */
function isOther(before: Node, after: Node): boolean {
  const of = ({ metadata, spec, status }: Node): string =>
    JSON.stringify([metadata.labels, spec?.taints, spec?.unschedulable, status?.allocatable]);
  return of(before) !== of(after);
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
}

class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #state: ClusterState;
  readonly #view: ClusterView;
  readonly #queue: SchedulingQueue;
  readonly #binding = new Set<Promise<void>>();

  constructor(options: SchedulerOptions, state: ClusterState, view: ClusterView, queue: SchedulingQueue) {
    this.#options = options;
    this.#clock = options.clock ?? machineClock;
    this.#logger = (options.logger ?? silentLogger).with({ component: schedulerName });
    [this.#state, this.#view, this.#queue] = [state, view, queue];
  }

  async run(find: (key: { namespace: string; name: string }) => Pod | undefined, signal: AbortSignal): Promise<void> {
    for (let key = await this.#queue.take(); key !== undefined; key = await this.#queue.take()) {
      const [namespace = '', name = ''] = key.split('/');
      const pod = find({ namespace, name });
      if (pod === undefined || !isOurs(pod) || this.#state.isAssumed(pod)) continue;
      const work = this.#schedule(pod, key, signal).catch((error: unknown) => {
        if (signal.aborted) return;
        this.#logger.warn('pod was not scheduled', { pod: key, error });
        this.#queue.retry(key, pod.spec?.priority ?? 0);
      });
      this.#binding.add(work);
      void work.finally(() => this.#binding.delete(work));
      if (this.#binding.size >= bindingsMost) await Promise.race(this.#binding);
    }
    await Promise.all(this.#binding);
  }

  async #schedule(pod: Pod, key: string, signal: AbortSignal): Promise<void> {
    const gates = pod.spec?.schedulingGates ?? [];
    if (gates.length > 0) {
      const message = 'Scheduling is blocked due to non-empty scheduling gates';
      await this.#refuse(pod, 'SchedulingGated', message, signal);
      return;
    }
    const info = podInfoOf(pod);
    const choice = chooseNode(info, this.#view, this.#options.random ?? randomBelow);
    if ('message' in choice) {
      this.#queue.park(key, pod.spec?.priority ?? 0);
      await this.#refuse(pod, 'Unschedulable', choice.message, signal);
      return;
    }
    this.#state.assume(info, choice.node);
    try {
      if (!(await this.#claimsAreBound(info, choice.node, signal))) {
        this.#state.forget(info);
        this.#queue.park(key, pod.spec?.priority ?? 0);
        return;
      }
      await this.#bind(pod, choice.node, signal);
    } catch (error) {
      this.#state.forget(info);
      // Somebody else bound it, or it is gone.
      if (error instanceof StatusError && (error.reason === 'Conflict' || error.reason === 'NotFound')) return;
      throw error;
    }
  }

  /** Says where volumes are to be made; true when all are there. */
  async #claimsAreBound({ pod }: PodInfo, node: string, signal: AbortSignal): Promise<boolean> {
    const { namespace = '', name: podName = '' } = pod.metadata;
    let areBound = true;
    for (const name of claimNames(podName, pod.spec ?? {})) {
      const claim = this.#view.claim(namespace, name);
      if (claim === undefined || (claim.spec?.volumeName ?? '') !== '') continue;
      areBound = false;
      if (claim.metadata.annotations?.[selectedNode] === node) continue;
      const body = { metadata: { annotations: { [selectedNode]: node } } };
      await this.#options.client.patch(claims, { namespace, name }, { type: 'merge', body }, {}, signal);
    }
    return areBound;
  }

  async #bind(pod: Pod, node: string, signal: AbortSignal): Promise<void> {
    const { namespace = '', name = '', uid } = pod.metadata;
    const binding = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { namespace, name, ...(uid !== undefined && { uid }) },
      target: { apiVersion: 'v1', kind: 'Node', name: node },
    };
    await this.#options.client.create(bindings, binding, { subresource: 'binding' }, signal);
    const message = `Successfully assigned ${namespace}/${name} to ${node}`;
    await this.#record(pod, { type: 'Normal', reason: 'Scheduled', message }, signal);
  }

  /** Tells why a pod waits, in its condition and by an event, when that is news. */
  async #refuse(
    pod: Pod,
    reason: 'Unschedulable' | 'SchedulingGated',
    message: string,
    signal: AbortSignal,
  ): Promise<void> {
    const before = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
    if (before?.reason === reason && before.message === message) return;
    const lastTransitionTime = before?.status === 'False' ? before.lastTransitionTime : timeText(this.#clock.nowMs());
    const condition: PodCondition = {
      type: 'PodScheduled',
      status: 'False',
      reason,
      message,
      ...(lastTransitionTime !== undefined && { lastTransitionTime }),
    };
    const patch = { type: 'strategic', body: { status: { conditions: [condition] } } } as const;
    await this.#options.client.patch(pods, keyOf(pod), patch, { subresource: 'status' }, signal);
    if (reason === 'Unschedulable')
      await this.#record(pod, { type: 'Warning', reason: 'FailedScheduling', message }, signal);
  }

  async #record(pod: Pod, text: Parameters<typeof recordEvent>[3], signal: AbortSignal): Promise<void> {
    await recordEvent(this.#options.client, schedulerName, pod, text, this.#clock.nowMs(), signal);
  }
}
