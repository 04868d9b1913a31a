import { isDeepStrictEqual } from 'node:util';

import { type Clock, machineClock, waitFor } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import type { Logger } from '#base/logger.ts';
import { type Client, kindOf } from '#kube/client/client.ts';
import { lease as leaseKind } from '#kube/kinds/coordination/lease.ts';
import { node as nodeKind } from '#kube/kinds/core/node.ts';
import { ApiError } from '#kube/status.ts';
import type { Lease } from '#kube/types/gen/coordination-v1.ts';
import type { ContainerImage, Node, NodeStatus } from '#kube/types/gen/core-v1.ts';

import { type NodeDescription, nodeOf, nodeStatusOf } from './node-object.ts';

export interface NodeOptions extends NodeDescription {
  readonly client: Client;
  /** On this machine now. */
  readonly images: () => readonly ContainerImage[];
  readonly logger: Logger;
  readonly clock?: Clock;
}

const nodes = kindOf<Node>(nodeKind);
const leases = kindOf<Lease>(leaseKind);
const leaseNamespace = 'kube-node-lease';
/** Upstream's times (kubelet/apis/config/v1beta1/defaults.go). */
const leaseSeconds = 40;
const beatMs = 10_000;
const statusMs = 300_000;

/**
 * Makes the Node object of this machine and keeps it alive until the signal aborts: a lease that is renewed every 10 s, and
 * a status that is written when it changes, or after 5 minutes. Failures are logged and waited out.
 */
export async function runNode(options: NodeOptions, signal: AbortSignal): Promise<void> {
  const { clock = machineClock, logger } = options;
  const heart = new Heart(options, clock);
  while (!signal.aborted) {
    try {
      await heart.beat(signal);
    } catch (error) {
      if (signal.aborted) return;
      logger.warn('the node could not tell that it lives', { error });
    }
    await waitFor(beatMs, clock, signal).catch(() => {});
  }
}

class Heart {
  readonly #options: NodeOptions;
  readonly #clock: Clock;
  #lease: Lease | undefined;
  #status: NodeStatus | undefined;
  #statusAtMs = -statusMs;

  constructor(options: NodeOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  async beat(signal: AbortSignal): Promise<void> {
    await this.#tellStatus(signal);
    await this.#renewLease(signal);
  }

  async #tellStatus(signal: AbortSignal): Promise<void> {
    const { client, images, name } = this.#options;
    const nowMs = this.#clock.nowMs();
    const key = { namespace: '', name };
    const before = this.#status ?? (await this.#registered(signal)).status;
    const status = nodeStatusOf(this.#options, images(), before, timeText(nowMs));
    const isSame = isDeepStrictEqual(withoutBeats(status), withoutBeats(this.#status));
    if (isSame && nowMs - this.#statusAtMs < statusMs) return;
    const patch = { type: 'strategic', body: { status } } as const;
    try {
      await client.patch(nodes, key, patch, { subresource: 'status' }, signal);
    } catch (error) {
      // Somebody deleted it: it is made again with the next beat.
      this.#status = undefined;
      throw error;
    }
    [this.#status, this.#statusAtMs] = [status, nowMs];
  }

  async #registered(signal: AbortSignal): Promise<Node> {
    const { client, name } = this.#options;
    try {
      return await client.get(nodes, { namespace: '', name }, signal);
    } catch (error) {
      if (!(error instanceof ApiError) || error.statusReason !== 'NotFound') throw error;
      return await client.create(nodes, nodeOf(this.#options), {}, signal);
    }
  }

  async #renewLease(signal: AbortSignal): Promise<void> {
    const { client, name } = this.#options;
    const renewTime = new Date(this.#clock.nowMs()).toISOString().replace('Z', '000Z');
    try {
      const before = this.#lease ?? (await client.get(leases, { namespace: leaseNamespace, name }, signal));
      const spec = { ...before.spec, holderIdentity: name, leaseDurationSeconds: leaseSeconds, renewTime };
      this.#lease = await client.update(leases, { ...before, spec }, {}, signal);
    } catch (error) {
      this.#lease = undefined;
      if (error instanceof StatusError && error.reason === 'Conflict') return;
      if (!(error instanceof ApiError) || error.statusReason !== 'NotFound') throw error;
      const lease = {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { namespace: leaseNamespace, name },
        spec: { holderIdentity: name, leaseDurationSeconds: leaseSeconds, renewTime },
      };
      this.#lease = await client.create(leases, lease, {}, signal);
    }
  }
}

/** A status without what differs each time it is told. */
function withoutBeats(status: NodeStatus | undefined): NodeStatus | undefined {
  const conditions = status?.conditions?.map((one) => ({ ...one, lastHeartbeatTime: '' }));
  return conditions === undefined ? status : { ...status, conditions };
}

function timeText(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
