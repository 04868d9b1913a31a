import { constants, mkdirSync, readFileSync, statfsSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';

import { type Clock, machineClock } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import type { Logger } from '#base/logger.ts';
import type { Engine } from '#engine/engine.ts';
import type { Client } from '#kube/client/client.ts';
import { openBeneath } from '#sys/rooted.ts';

import { ClientSources } from './environment/client-sources.ts';
import { followPods } from './pods/follow-pods.ts';
import { TerminationMessages } from './pods/termination-messages.ts';
import { EventRecorder } from './record-events.ts';
import { Claims } from './volumes/claims.ts';
import { PodVolumes } from './volumes/pod-volumes.ts';
import { runProvisioner } from './volumes/run-provisioner.ts';

export interface RunPodsOptions {
  readonly client: Client;
  /** Of somebody who may make PersistentVolumes and StorageClasses; nodes may not. */
  readonly storageClient: Client;
  readonly engine: Engine;
  readonly nodeName: string;
  /** By which others reach this node. */
  readonly hostAddress: string;
  /** A folder of its own, durable. */
  readonly folder: string;
  /** The engine's network that pods are on. */
  readonly network: string;
  /** Address of the cluster's DNS. */
  readonly clusterDns: string;
  readonly clusterDomain?: string;
  readonly logger: Logger;
  readonly clock?: Clock;
}

/**
 * Runs the pods that are bound to this node and makes the volumes of their claims, until the signal aborts; containers go on
 * then, and the next call takes them over.
 */
export async function runPods(options: RunPodsOptions, signal: AbortSignal): Promise<void> {
  const { client, storageClient, engine, nodeName, folder, logger, clock = machineClock } = options;
  const nowMs = (): number => clock.nowMs();
  mkdirSync(join(folder, 'pods'), { recursive: true, mode: 0o750 });
  await using sources = new ClientSources(client, { clock, logger });
  const recorder = new EventRecorder({ client, component: 'kubelet', nodeName, nowMs, logger }, signal);
  const maker = new EventRecorder(
    { client: storageClient, component: 'slipway.dev/local-path', nodeName, nowMs, logger },
    signal,
  );
  const volumes = new PodVolumes({
    folder: join(folder, 'pods'),
    sources,
    claims: new Claims(sources, engine.volumes),
    clock,
  });
  const messages = new TerminationMessages(join(folder, 'messages'));
  const common = { clock, logger };
  await Promise.all([
    followPods(
      { ...common, client, engine, volumes, sources, messages, node: nodeOf(options), record: recorder.record, nowMs },
      signal,
    ),
    runProvisioner(
      { ...common, client: storageClient, volumes: engine.volumes, nodeName, record: maker.record },
      signal,
    ),
  ]);
  await Promise.all([recorder.settled(), maker.settled()]);
}

function nodeOf({
  nodeName,
  hostAddress,
  folder,
  network,
  clusterDns,
  clusterDomain,
}: RunPodsOptions): Parameters<typeof followPods>[0]['node'] {
  const { blocks, bsize } = statfsSync(folder);
  const memoryBytes = totalmem();
  return {
    nodeName,
    hostIPs: [hostAddress],
    allocatable: {
      cpu: String(cpus().length),
      memory: String(memoryBytes),
      'ephemeral-storage': String(blocks * bsize),
    },
    memoryBytes,
    network,
    dnsServer: clusterDns,
    domain: clusterDomain ?? 'cluster.local',
    readProfile: (path) => readProfile(join(folder, 'seccomp'), path),
  };
}

/** The text of a seccomp profile in the node's folder for them, which no path leaves. */
function readProfile(folder: string, path: string): string {
  try {
    using file = openBeneath(folder, path, constants.O_RDONLY);
    return readFileSync(file.fd, 'utf8');
  } catch (error) {
    throw new StatusError('NotFound', `cannot load seccomp profile "${join(folder, path)}": it is not there`, {
      cause: error,
    });
  }
}
