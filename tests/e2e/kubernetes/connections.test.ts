// What happens to connections of the API server: its certificate is renewed under them, and clients that do not read.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';

import { openTcpDoor } from '#apiserver/http/tcp-door.ts';
import { openApiServer, type OpenedServer } from '#app/planes/open-apiserver.ts';
import { nowMs } from '#base/clock.ts';
import { silentLogger } from '#base/logger.ts';
import { clientCertificate, serverCertificate } from '#pki/certificates.ts';
import { openClusterPki } from '#pki/cluster-pki.ts';

import { eventually } from '../../kit/eventually.ts';
import { tempFolder } from '../../kit/temp-root.ts';

const host = '127.0.0.1';
const { signal } = new AbortController();
const configMaps = '/api/v1/namespaces/default/configmaps';

interface World {
  readonly opened: OpenedServer;
  readonly pki: Awaited<ReturnType<typeof openClusterPki>>;
  readonly port: number;
  readonly connect: () => ClientHttp2Session;
}

async function openWorld(t: TestContext): Promise<World> {
  const folder = tempFolder(t);
  const pki = await openClusterPki(join(folder, 'pki'), nowMs());
  const opened = await openApiServer(
    {
      pki,
      pair: pki.issue(serverCertificate('first', [host]), nowMs()),
      logger: silentLogger,
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
    signal,
  );
  t.after(async () => opened[Symbol.asyncDispose]());
  const door = await openTcpDoor(host, 0, (socket) => opened.server.accept(socket));
  t.after(async () => door[Symbol.asyncDispose]());
  const { keyPem, certificatePem } = pki.issue(clientCertificate('admin', ['system:masters']), nowMs());
  return {
    opened,
    pki,
    port: door.port,
    connect: () => {
      const session = connect(`https://${host}:${String(door.port)}`, {
        ca: pki.authorityPem,
        key: keyPem,
        cert: certificatePem,
      });
      t.after(() => session.destroy());
      return session;
    },
  };
}

async function create(session: ClientHttp2Session, name: string, data: object): Promise<void> {
  const request = session.request({ ':method': 'POST', ':path': configMaps, 'content-type': 'application/json' });
  request.end(JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data }));
  const [headers] = (await once(request, 'response')) as [Record<string, unknown>];
  request.resume();
  await once(request, 'close');
  assert.equal(headers[':status'], 201);
}

/** Lines of a watch as they come. */
function watch(session: ClientHttp2Session, query = ''): ClientHttp2Stream {
  return session.request({ ':path': `${configMaps}?watch=1${query}` });
}

test('a certificate is renewed while watches go on, and new connections see it at once', async (t) => {
  const { opened, pki, port, connect: open } = await openWorld(t);
  const session = open();
  let heard = '';
  watch(session)
    .setEncoding('utf8')
    .on('data', (text: string) => (heard += text));
  await create(session, 'before', {});
  await eventually('the watch hears', () => heard.includes('"before"'));
  opened.server.renew(pki.issue(serverCertificate('second', [host]), nowMs()));
  const other = connectTls({ port, host, ca: pki.authorityPem, ALPNProtocols: ['h2'] });
  await once(other, 'secureConnect');
  assert.equal(other.getPeerCertificate().subject.CN, 'second');
  other.destroy();
  await create(session, 'after', {});
  await eventually('the watch goes on', () => heard.includes('"after"'));
  await create(open(), 'renewed', {});
  await eventually('it hears of new connections', () => heard.includes('"renewed"'));
});

test('a watch whose client does not read is cut, and others hear everything', async (t) => {
  const { connect: open } = await openWorld(t);
  const [writer, slow, quick] = [open(), open(), open()];
  const names = new Set<string>();
  watch(quick)
    .setEncoding('utf8')
    .on('data', (text: string) => {
      for (const [, name = ''] of text.matchAll(/"name":"(big-\d+)"/g)) names.add(name);
    });
  const stuck = watch(slow);
  await once(stuck, 'response');
  stuck.pause();
  const ended = once(stuck, 'close');
  const megabyte = 'x'.repeat(1_000_000);
  for (let index = 0; index < 20; index += 1) await create(writer, `big-${String(index)}`, { megabyte });
  await eventually('the quick one hears all', () => names.size === 20);
  stuck.resume();
  stuck.on('error', () => {});
  await ended;
});

test('the state at the start may be larger than what a client may leave unread', async (t) => {
  const { connect: open } = await openWorld(t);
  const writer = open();
  const megabyte = 'x'.repeat(1_000_000);
  for (let index = 0; index < 20; index += 1) await create(writer, `big-${String(index)}`, { megabyte });
  const initial = '&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
  const stream = watch(open(), initial);
  await once(stream, 'response');
  await create(writer, 'late', {});
  let [text, bytes] = ['', 0];
  stream.setEncoding('utf8').on('data', (piece: string) => {
    bytes += piece.length;
    text = (text + piece.replaceAll(/x{9,}/g, '')).slice(-10_000);
  });
  await eventually('everything came, and then what happened meanwhile', () => text.includes('"name":"late"'));
  assert.ok(bytes > 20_000_000);
  const end = text.indexOf('k8s.io/initial-events-end');
  assert.ok(end >= 0 && end < text.indexOf('"name":"late"'), 'what was there is told before what came');
});
