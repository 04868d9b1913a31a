import type { Engine } from '#engine/engine.ts';
import type { Container as EngineContainer, ContainerStatus } from '#engine/runtime/container.ts';

import { containerLabels } from '../container-spec.ts';
import type { ContainerRun, PodNow } from '../lifecycle/pod-now.ts';
import type { PodProbes } from '../probes/pod-probes.ts';

const states: Readonly<Record<ContainerStatus, ContainerRun['state'] | undefined>> = {
  created: 'created',
  running: 'running',
  paused: 'running',
  restarting: 'exited',
  exited: 'exited',
  dead: 'exited',
  removing: undefined,
};

/** What the engine has of a pod, and what its probes have found. */
export function readPod(
  uid: string,
  { containers, sandboxes }: Pick<Engine, 'containers' | 'sandboxes'>,
  probes?: Pick<PodProbes, 'stateOf'>,
): PodNow {
  const runs = containers.list().flatMap((container) => {
    const state = states[container.state.status];
    if (container.spec.labels[containerLabels.uid] !== uid || state === undefined) return [];
    return [{ ...runOf(container, state), probes: probes?.stateOf(container.id) }];
  });
  const found = sandboxes.list().find(({ labels }) => labels[containerLabels.uid] === uid);
  if (found === undefined) return { sandbox: undefined, runs };
  const ips = found.network.endpoints.flatMap(({ ipv4Address, ipv6Address }) =>
    [ipv4Address, ipv6Address].filter((address) => address !== ''),
  );
  return { sandbox: { id: found.id, ips }, runs };
}

/** The uids of pods of a name that the engine has something of; with no name, of all. */
export function uidsOf(
  key: { readonly namespace: string; readonly name: string } | undefined,
  { containers, sandboxes }: Pick<Engine, 'containers' | 'sandboxes'>,
): readonly string[] {
  const all = [...containers.list().map(({ spec }) => spec.labels), ...sandboxes.list().map(({ labels }) => labels)];
  const own = all.filter(
    (labels) =>
      labels[containerLabels.uid] !== undefined &&
      (key === undefined ||
        (labels[containerLabels.namespace] === key.namespace && labels[containerLabels.pod] === key.name)),
  );
  return [...new Set(own.map((labels) => labels[containerLabels.uid] ?? ''))];
}

function runOf({ id, spec, state }: EngineContainer, is: ContainerRun['state']): ContainerRun {
  return {
    id,
    name: spec.labels[containerLabels.container] ?? '',
    attempt: Number(spec.labels[containerLabels.attempt] ?? '0'),
    state: is,
    startedAt: state.startedAt,
    finishedAt: state.finishedAt,
    exitCode: state.exitCode,
    oomKilled: state.oomKilled,
    imageId: spec.imageId,
  };
}
