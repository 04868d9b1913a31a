import { networkInterfaces, hostname } from 'node:os';

import type { ApiServer } from '#apiserver/serve-api.ts';
import { runNode } from '#agent/node/run-node.ts';
import { readNodeFacts } from '#agent/node/node-facts.ts';
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
  readonly logger: Logger;
}

/** The engine's network that pods are on. They find names by the cluster's server, not by the engine's. */
const podNetwork = 'pods';
const networkOptions = { 'com.slipway.network.names': 'false' };

/** Lets this machine be a node until disposed of. */
export async function startNode(options: NodePartOptions): Promise<AsyncDisposable> {
  const { server, engine, logger } = options;
  const stop = new AbortController();
  const network = await openPodNetwork(options, stop.signal);
  const name = (options.nodeName || hostname()).toLowerCase();
  const user = { name: `system:node:${name}`, uid: '', groups: ['system:nodes', 'system:authenticated'], extra: {} };
  const running = runNode(
    {
      client: server.clientFor(user),
      name,
      address: advertisedHost('0.0.0.0', networkInterfaces()),
      podCidr: network.subnets[0]?.subnet ?? '',
      facts: readNodeFacts(engine.options.dataDir),
      versions: { kubelet: kubernetesVersion, runtime: `slipway://${slipwayVersion()}` },
      images: () =>
        engine.images
          .list()
          .map((image) => ({ names: [...image.repoDigests, ...image.tags], sizeBytes: image.sizeBytes })),
      logger,
    },
    stop.signal,
  );
  running.catch((error: unknown) => (stop.signal.aborted ? undefined : logger.error('the node ended', { error })));
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort(new Error('the platform ends'));
      await running.catch(() => {});
    },
  };
}

async function openPodNetwork({ engine, podCidr }: NodePartOptions, signal: AbortSignal): Promise<Network> {
  const subnets = podCidr === '' ? {} : { subnets: [{ subnet: podCidr }] };
  return (
    engine.networks.find(podNetwork) ??
    (await engine.networks.create({ name: podNetwork, options: networkOptions, ...subnets }, signal))
  );
}
