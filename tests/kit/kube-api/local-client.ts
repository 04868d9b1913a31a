import { LocalTransport } from '#apiserver/http/local-transport.ts';
import type { Client } from '#kube/client/client.ts';
import { createClient } from '#kube/client/create-client.ts';

import type { MemoryApi } from './memory-api.ts';

const admin = { name: 'admin', uid: '', groups: ['system:masters', 'system:authenticated'], extra: {} };

/** A client of an API in memory, which checks and fills objects as the real one does. */
export function localClient({ api }: MemoryApi): Client {
  return createClient(new LocalTransport((exchange) => api.serve(exchange), admin));
}
