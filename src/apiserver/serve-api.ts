import type { Client } from '#kube/client/client.ts';
import { createClient } from '#kube/client/create-client.ts';

import type { Objects } from './auth/objects.ts';
import type { UserInfo } from './auth/user.ts';
import { LocalTransport } from './http/local-transport.ts';
import { openSecureDoor, type KeyPair, type SecureDoor } from './http/secure-door.ts';
import { UpgradeExchange } from './http/exchange.ts';
import { openApi, type ApiOptions } from './open-api.ts';

export interface ApiServerOptions extends ApiOptions {
  readonly pair: KeyPair;
  /** Of clients' certificates. */
  readonly authorityPem: string;
}

/** A Kubernetes API for connections that somebody else accepts. */
export interface ApiServer extends AsyncDisposable, Pick<SecureDoor, 'accept' | 'renew'> {
  readonly objects: Objects;
  /** A client of this server in this process. */
  clientFor(user: UserInfo): Client;
}

/** Serves a Kubernetes API out of a store until it is disposed of. */
export async function serveApi(options: ApiServerOptions, signal: AbortSignal): Promise<ApiServer> {
  await using opened = new AsyncDisposableStack();
  const api = opened.use(await openApi(options, signal));
  const requests = {
    request: (exchange: Parameters<typeof api.serve>[0]) => void api.serve(exchange),
    upgrade: (...request: ConstructorParameters<typeof UpgradeExchange>) =>
      void api.serve(new UpgradeExchange(...request)),
  };
  const door = opened.use(openSecureDoor(options.pair, options.authorityPem, requests));
  const kept = opened.move();
  return {
    objects: api.objects,
    clientFor: (user) => createClient(new LocalTransport((exchange) => api.serve(exchange), user)),
    accept: (socket) => door.accept(socket),
    renew: (pair) => door.renew(pair),
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}
