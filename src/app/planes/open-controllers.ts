import { hostname } from 'node:os';

import { newId } from '#base/ids.ts';
import type { Logger } from '#base/logger.ts';
import { controllers } from '#control/controllers/controllers.ts';
import { runController } from '#control/run-controller.ts';
import { runScheduler } from '#control/scheduler/run-scheduler.ts';
import { SharedInformers } from '#control/shared-informers.ts';
import type { Client } from '#kube/client/client.ts';
import { leadAndWork } from '#kube/client/leader-election.ts';

/** As kube-controller-manager, so that both never work on the same cluster. */
const lease = { namespace: 'kube-system', name: 'kube-controller-manager' };

/**
 * Runs the controllers of the cluster behind a client until it is disposed of; where other servers are on the same store,
 * only while this one holds the lease.
 */
export function openControllers(client: Client, logger: Logger, isExclusive: boolean): AsyncDisposable {
  const closing = new AbortController();
  const work = async (signal: AbortSignal): Promise<void> => {
    await using informers = new SharedInformers(client, { logger });
    await Promise.all([
      runScheduler({ client, informers, logger }, signal),
      ...controllers.map(async (controller) => runController(controller, client, informers, { logger }, signal)),
    ]);
  };
  const identity = `${hostname()}_${newId().slice(0, 12)}`;
  const running = isExclusive
    ? work(closing.signal)
    : leadAndWork(client, { lease, identity, logger }, work, closing.signal);
  const done = running.catch((error: unknown) => {
    if (!closing.signal.aborted) logger.error('controllers of the Kubernetes API ended', { error });
  });
  return {
    [Symbol.asyncDispose]: async () => {
      closing.abort(new Error('the API server ends'));
      await done;
    },
  };
}
