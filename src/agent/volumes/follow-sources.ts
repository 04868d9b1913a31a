import { type Clock, machineClock, waitFor } from '#base/clock.ts';
import { type Logger, silentLogger } from '#base/logger.ts';
import type { Pod } from '#kube/types/gen/core-v1.ts';

import type { ClientSources } from '../environment/client-sources.ts';
import type { PodFacts } from '../environment/pod-sources.ts';
import { hasFiles } from './files-of.ts';
import type { PodVolumes } from './pod-volumes.ts';

export interface FollowOptions {
  readonly sources: Pick<ClientSources, 'onChange' | 'forgetUnused'>;
  readonly volumes: Pick<PodVolumes, 'update'>;
  /** The pods that have their volumes open now. */
  readonly pods: () => readonly { readonly pod: Pod; readonly facts: PodFacts }[];
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** Tokens grow old without anybody telling, and so do watches that nobody needs. */
const roundMs = 60_000;
/** Changes that come together are written together. */
const gatherMs = 200;

/** Keeps the files in pods' volumes as their sources are, until the signal aborts. Failures are tried again. */
export async function followSources(options: FollowOptions, signal: AbortSignal): Promise<void> {
  const { sources, volumes, pods, clock = machineClock, logger = silentLogger } = options;
  let changed = new Set<string>();
  let wake = Promise.withResolvers<void>();
  using _ = sources.onChange((kind, { namespace, name }) => {
    changed.add(`${kind} ${namespace}/${name}`);
    wake.resolve();
  });
  while (!signal.aborted) {
    const isRound = await isTimeUp(wake.promise, clock, signal);
    if (signal.aborted) return;
    if (!isRound) await waitFor(gatherMs, clock, signal).catch(() => {});
    const names = changed;
    [changed, wake] = [new Set(), Promise.withResolvers<void>()];
    for (const { pod, facts } of pods()) {
      if (!isRound && !sourcesOf(pod).some((source) => names.has(source))) continue;
      try {
        await volumes.update(pod, facts, signal);
      } catch (error) {
        if (signal.aborted) return;
        logger.warn('volumes of a pod are not up to date', { pod: pod.metadata.name, error });
      }
    }
    if (isRound) await sources.forgetUnused();
  }
}

/** Waits for a change or the next round, whichever is first; true for a round. */
async function isTimeUp(change: Promise<void>, clock: Clock, signal: AbortSignal): Promise<boolean> {
  const waiting = new AbortController();
  const round = waitFor(roundMs, clock, AbortSignal.any([signal, waiting.signal])).then(
    () => true,
    () => false,
  );
  const isRound = await Promise.race([change.then(() => false), round]);
  waiting.abort();
  await round;
  return isRound;
}

/** What the files of a pod's volumes come from, as `Kind namespace/name`. */
function sourcesOf({ metadata, spec }: Pod): readonly string[] {
  const namespace = metadata.namespace ?? '';
  return (spec?.volumes ?? []).filter(hasFiles).flatMap(({ configMap, secret, projected }) => {
    const maps = [configMap, ...(projected?.sources ?? []).map((source) => source.configMap)];
    const secrets = [secret?.secretName, ...(projected?.sources ?? []).map((source) => source.secret?.name)];
    return [
      ...maps.map((map) => `ConfigMap ${namespace}/${map?.name ?? ''}`),
      ...secrets.map((name) => `Secret ${namespace}/${name ?? ''}`),
    ];
  });
}
