import { hostname, networkInterfaces } from 'node:os';

import { readNodeFacts } from '#agent/node/node-facts.ts';
import type { NodeDescription } from '#agent/node/node-object.ts';
import { runNode } from '#agent/node/run-node.ts';
import { runPods } from '#agent/run-pods.ts';
import type { ApiServer } from '#apiserver/serve-api.ts';
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

/** What pods are told to ask for names. */
const dnsServer = '10.96.0.10';

/** Makes volumes and their class, which nodes may not. */
const storageUser = { name: 'system:local-path-provisioner', uid: '', groups: ['system:masters'], extra: {} };

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
  const images = (): readonly ContainerImage[] =>
    engine.images.list().map((image) => ({ names: [...image.repoDigests, ...image.tags], sizeBytes: image.sizeBytes }));
  const parts = [
    runNode({ ...description, client, images, logger }, stop.signal),
    runPods(
      {
        client,
        storageClient: server.clientFor(storageUser),
        engine,
        nodeName: name,
        hostAddress: description.address,
        folder,
        network: podNetwork,
        clusterDns: dnsServer,
        logger,
      },
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
