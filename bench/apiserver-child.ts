/** The API server of the benchmarks as the daemon opens it, in a process of its own: `node apiserver-child.ts FOLDER`. */
import { writeFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';

import { openTcpDoor } from '#apiserver/http/tcp-door.ts';
import { keepIdleMemorySmall } from '#app/idle-memory.ts';
import { openApiServer } from '#app/planes/open-apiserver.ts';
import { nowMs } from '#base/clock.ts';
import { createLogger } from '#base/logger.ts';
import { clientCertificate, serverCertificate } from '#pki/certificates.ts';
import { openClusterPki } from '#pki/cluster-pki.ts';

import type { ServerUsage } from './apiserver-process.ts';

const folder = process.argv[2] ?? '';
const host = '127.0.0.1';
const logger = createLogger({ level: 'warn', format: 'pretty', write: (line) => process.stderr.write(line) });
const pki = await openClusterPki(join(folder, 'pki'), nowMs());
const { server } = await openApiServer(
  {
    pki,
    pair: pki.issue(serverCertificate('bench', [host]), nowMs()),
    logger,
    storeFolder: join(folder, 'store'),
    storeSettings: { url: '', caPath: '', certificatePath: '', keyPath: '' },
    eventTtlSeconds: 3600,
    agent: undefined,
    audit: undefined,
    encryption: [],
    hasControllers: false,
    logFolder: folder,
    url: `https://${host}:6443`,
  },
  new AbortController().signal,
);
const door = await openTcpDoor(host, 0, (socket) => server.accept(socket));
const client = pki.issue(clientCertificate('bench', ['system:masters']), nowMs());
writeFileSync(join(folder, 'client.json'), JSON.stringify({ port: door.port, ca: pki.authorityPem, ...client }));
process.send?.('ready');
// As the daemon does, see boot.ts.
flushCompileCache();
keepIdleMemorySmall();
process.on('disconnect', () => process.exit());
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  const usage: ServerUsage = { residentBytes: process.memoryUsage.rss(), cpuMs: (user + system) / 1000 };
  process.send?.(usage);
});
