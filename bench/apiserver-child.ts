/** The API server of the benchmark, in a process of its own: `node apiserver-child.ts FOLDER`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { openTcpDoor } from '#apiserver/http/tcp-door.ts';
import { openSecurity } from '#apiserver/security/open-security.ts';
import { serveApi } from '#apiserver/serve-api.ts';
import { nowMs } from '#base/clock.ts';
import { createLogger } from '#base/logger.ts';
import { kinds } from '#kube/kinds/kinds.ts';
import { clientCertificate, serverCertificate } from '#pki/certificates.ts';
import { openClusterPki } from '#pki/cluster-pki.ts';
import { openSqliteStore } from '#store/sqlite/open-sqlite-store.ts';

const folder = process.argv[2] ?? '';
const host = '127.0.0.1';
const logger = createLogger({ level: 'warn', format: 'pretty', write: (line) => process.stderr.write(line) });
const { signal } = new AbortController();
const pki = await openClusterPki(join(folder, 'pki'), nowMs());
const onError = (error: unknown): void => logger.error('part failed', { error });
const server = await serveApi(
  {
    kinds,
    isExclusive: true,
    logger,
    store: await openSqliteStore(join(folder, 'store')),
    pair: pki.issue(serverCertificate('bench', [host]), nowMs()),
    authorityPem: pki.authorityPem,
    agent: undefined,
    serverAddress: () => `${host}:6443`,
    openParts: async (objects, resolveKind) =>
      openSecurity({ objects, pki, serverUrl: `https://${host}`, resolveKind, nowMs, onError }, signal),
  },
  signal,
);
const door = await openTcpDoor(host, 0, (socket) => server.accept(socket));
const client = pki.issue(clientCertificate('bench', ['system:masters']), nowMs());
writeFileSync(join(folder, 'client.json'), JSON.stringify({ port: door.port, ca: pki.authorityPem, ...client }));
process.send?.('ready');
process.on('message', () => process.send?.(process.memoryUsage().rss));
