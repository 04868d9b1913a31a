import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/logger.ts';
import type { Client, KindOf } from '#kube/client/client.ts';
import { Informer } from '#kube/client/informer.ts';
import type { Resource } from '#kube/resource.ts';

export interface SharedInformersOptions {
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** One informer for each kind that somebody asked for, so that many controllers watch it once. */
export class SharedInformers implements AsyncDisposable {
  readonly #client: Client;
  readonly #options: SharedInformersOptions;
  readonly #informers = new Map<string, Informer<Resource>>();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>[] = [];

  constructor(client: Client, options: SharedInformersOptions = {}) {
    this.#client = client;
    this.#options = options;
  }

  /** The informer of a kind, in all namespaces; begins when it is asked for first. */
  of<R extends Resource>(kind: KindOf<R>): Informer<R> {
    const key = `${kind.group}/${kind.version}/${kind.plural}`;
    let informer = this.#informers.get(key);
    if (informer === undefined) {
      informer = new Informer<Resource>(this.#client, kind, this.#options);
      this.#informers.set(key, informer);
      this.#running.push(informer.run(this.#stop.signal));
    }
    return informer as unknown as Informer<R>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }
}
