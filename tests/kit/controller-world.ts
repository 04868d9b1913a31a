import { createLogger } from '#base/logger.ts';
import type { Controller } from '#control/controller.ts';
import { runController } from '#control/run-controller.ts';
import { SharedInformers } from '#control/shared-informers.ts';
import { createClient } from '#kube/client/create-client.ts';
import type { Resource } from '#kube/resource.ts';

import { FakeClock, settle } from './fake-clock.ts';
import { MemoryApi } from './memory-api.ts';

export interface ControllerWorld extends AsyncDisposable {
  readonly api: MemoryApi;
  readonly clock: FakeClock;
  /** What reconciles failed with. */
  readonly failures: string[];
  /** The objects of a collection such as `/api/v1/pods`. */
  list<R extends Resource>(path: string): Promise<R[]>;
  settle(): Promise<void>;
}

/** Runs controllers over an API in memory, on a clock that stands still. */
export function controllerWorld(...controllers: readonly Controller[]): ControllerWorld {
  const api = new MemoryApi();
  const clock = new FakeClock();
  const client = createClient(api);
  const stop = new AbortController();
  const informers = new SharedInformers(client, { clock });
  const failures: string[] = [];
  const logger = createLogger({ level: 'warn', format: 'json', write: (line) => void failures.push(line) });
  const running = controllers.map(async (controller) =>
    runController(controller, client, informers, { clock, logger }, stop.signal),
  );
  return {
    api,
    clock,
    failures,
    list: async <R extends Resource>(path: string) => {
      const answer = await api.send({ method: 'GET', path, isStream: false }, stop.signal);
      const chunks: Uint8Array[] = [];
      for await (const chunk of answer.body) chunks.push(chunk);
      return (JSON.parse(Buffer.concat(chunks).toString()) as { items: R[] }).items;
    },
    settle: async () => {
      for (let round = 0; round < 5; round += 1) await settle();
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await Promise.all(running);
      await informers[Symbol.asyncDispose]();
    },
  };
}
