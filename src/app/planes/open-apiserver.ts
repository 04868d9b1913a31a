import { auditLog } from '#apiserver/audit/audit-log.ts';
import type { AuditPolicy } from '#apiserver/audit/audit-policy.ts';
import type { NodeAgent } from '#apiserver/handlers/node-agent.ts';
import { encryptedStore } from '#apiserver/encryption/encrypted-store.ts';
import type { EncryptedKinds } from '#apiserver/encryption/encryption-configuration.ts';
import { openSecurity } from '#apiserver/security/open-security.ts';
import { serveApi, type ApiServer } from '#apiserver/serve-api.ts';
import { nowMs } from '#base/clock.ts';
import type { Logger } from '#base/logger.ts';
import { kinds } from '#kube/kinds/kinds.ts';
import type { ClusterPki, KeyPair } from '#pki/cluster-pki.ts';

import { openControllers } from './open-controllers.ts';
import { openAuditFile } from './kubernetes-files.ts';
import { openStore, type StoreSettings } from './open-store.ts';

export interface OpenOptions {
  readonly pki: ClusterPki;
  readonly pair: KeyPair;
  readonly logger: Logger;
  readonly storeFolder: string;
  readonly storeSettings: StoreSettings;
  readonly eventTtlSeconds: number;
  /** Undefined: no pods run here. */
  readonly agent: NodeAgent | undefined;
  /** Undefined: requests are not noted. */
  readonly audit: AuditPolicy | undefined;
  readonly logFolder: string;
  readonly encryption: readonly EncryptedKinds[];
  /** Whether the cluster's controllers run beside the server. */
  readonly hasControllers: boolean;
  /** Where clients reach it. */
  readonly url: string;
}

export interface OpenedServer extends AsyncDisposable {
  readonly server: ApiServer;
}

/** Who controllers are. */
const manager = {
  name: 'system:kube-controller-manager',
  uid: '',
  groups: ['system:masters', 'system:authenticated'],
  extra: {},
};

/** Everything that the API server is made of; loaded when it is needed. */
export async function openApiServer(options: OpenOptions, signal: AbortSignal): Promise<OpenedServer> {
  const { pki, pair, logger, url, encryption } = options;
  await using opened = new AsyncDisposableStack();
  const { store: plain, isExclusive } = await openStore(options.storeSettings, options.storeFolder, signal);
  opened.use(plain);
  const store = encryption.length === 0 ? plain : encryptedStore(plain, encryption);
  const audit =
    options.audit === undefined
      ? undefined
      : auditLog(options.audit, opened.use(openAuditFile(options.logFolder, logger)), nowMs);
  const closing = new AbortController();
  const server = opened.use(
    await serveApi(
      {
        store,
        isExclusive,
        kinds,
        eventTtlSeconds: options.eventTtlSeconds,
        pair,
        authorityPem: pki.authorityPem,
        agent: options.agent,
        logger,
        ...(audit === undefined ? {} : { audit }),
        serverAddress: () => url.replace('https://', ''),
        openParts: async (objects, resolveKind) => {
          const onError = (error: unknown): void => logger.error('a part of the Kubernetes API failed', { error });
          return openSecurity({ objects, pki, serverUrl: url, resolveKind, nowMs, onError }, closing.signal);
        },
      },
      signal,
    ),
  );
  if (options.hasControllers) opened.use(openControllers(server.clientFor(manager), logger, isExclusive));
  opened.defer(() => closing.abort(new Error('the API server ends')));
  const kept = opened.move();
  return { server, [Symbol.asyncDispose]: async () => await kept.disposeAsync() };
}
