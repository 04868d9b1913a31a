import { readFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';

import { ClientSources } from '#agent/environment/client-sources.ts';
import { readNodeFacts } from '#agent/node/node-facts.ts';
import { type NodeDescription, nodeStatusOf } from '#agent/node/node-object.ts';
import { runNode } from '#agent/node/run-node.ts';
import type { PodTools } from '#agent/pods/pod-tools.ts';
import { runPods } from '#agent/pods/run-pods.ts';
import { Claims } from '#agent/volumes/claims.ts';
import { PodVolumes } from '#agent/volumes/pod-volumes.ts';
import { runProvisioner } from '#agent/volumes/run-provisioner.ts';
import type { ApiServer } from '#apiserver/serve-api.ts';
import { nowMs } from '#base/clock.ts';
import { EventRecorder } from '#kube/client/event-recorder.ts';
import type { ContainerImage } from '#kube/types/gen/core-v1.ts';
import type { Logger } from '#base/logger.ts';
import type { Engine } from '#engine/engine.ts';
import type { Network } from '#engine/network/networks.ts';
import { kubernetesVersion } from '#apiserver/http/version.ts';

import { slipwayVersion } from '../version.ts';
import { advertisedHost } from './advertised-host.ts';

export interface NodePartOptions {
  readonly server: ApiServer;
  readonly engine: Engine;
  /** Empty: the machine's name. */
  readonly nodeName: string;
  /** Of pods; empty: the engine chooses. */
  readonly podCidr: string;
  /** Of pods' volumes; durable. */
  readonly folder: string;
  readonly logger: Logger;
}

/** The engine's network that pods are on. They find names by the cluster's server, not by the engine's. */
const podNetwork = 'pods';
const networkOptions = { 'com.slipway.network.names': 'false' };

/** What pods are told to ask for names, and the domain of services: upstream's customary ones. */
const dnsServer = '10.96.0.10';
const domain = 'cluster.local';

/** Makes volumes and their class, which nodes may not. */
const provisionerUser = { name: 'system:local-path-provisioner', uid: '', groups: ['system:masters'], extra: {} };

/** Lets this machine be a node and run its pods until disposed of. Containers go on then. */
export async function startNode(options: NodePartOptions): Promise<AsyncDisposable> {
  const { server, engine, logger, folder } = options;
  const stop = new AbortController();
  await using opened = new AsyncDisposableStack();
  const network = await openPodNetwork(options, stop.signal);
  const name = (options.nodeName || hostname()).toLowerCase();
  const user = { name: `system:node:${name}`, uid: '', groups: ['system:nodes', 'system:authenticated'], extra: {} };
  const client = server.clientFor(user);
  const description: NodeDescription = {
    name,
    address: advertisedHost('0.0.0.0', networkInterfaces()),
    podCidr: network.subnets[0]?.subnet ?? '',
    facts: readNodeFacts(engine.options.dataDir),
    versions: { kubelet: kubernetesVersion, runtime: `slipway://${slipwayVersion()}` },
  };
  const { record } = opened.use(new EventRecorder(client, { component: 'kubelet', host: name, logger }));
  const sources = opened.use(new ClientSources(client, { logger }));
  const volumes = new PodVolumes({ folder, sources, claims: new Claims(sources, engine.volumes) });
  const node: PodTools['node'] = {
    nodeName: name,
    hostIPs: [description.address],
    allocatable: nodeStatusOf(description, [], undefined, '').allocatable ?? {},
    memoryBytes: description.facts.memoryBytes,
    network: podNetwork,
    dnsServer,
    domain,
    readProfile: (path) => readFileSync(join(folder, '../seccomp', path), 'utf8'),
  };
  const images = (): readonly ContainerImage[] =>
    engine.images.list().map((image) => ({ names: [...image.repoDigests, ...image.tags], sizeBytes: image.sizeBytes }));
  const tools = { client, engine, volumes, sources, node, record, nowMs };
  const parts = [
    runNode({ ...description, client, images, logger }, stop.signal),
    runPods({ ...tools, logger }, stop.signal),
    runProvisioner(
      { client: server.clientFor(provisionerUser), volumes: engine.volumes, nodeName: name, record, logger },
      stop.signal,
    ),
  ];
  for (const part of parts)
    part.catch((error: unknown) => {
      if (!stop.signal.aborted) logger.error('a part of the node ended', { error });
    });
  opened.defer(async () => {
    stop.abort(new Error('the platform ends'));
    await Promise.allSettled(parts);
  });
  return opened.move();
}

async function openPodNetwork({ engine, podCidr }: NodePartOptions, signal: AbortSignal): Promise<Network> {
  const subnets = podCidr === '' ? {} : { subnets: [{ subnet: podCidr }] };
  return (
    engine.networks.find(podNetwork) ??
    (await engine.networks.create({ name: podNetwork, options: networkOptions, ...subnets }, signal))
  );
}
