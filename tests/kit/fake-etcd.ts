import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';

import { frameMessage, readMessages } from '#formats/grpc/frames.ts';

import type { Owner } from './temp-root.ts';

/** A call as a scripted member of etcd sees it. */
export interface FakeCall {
  readonly path: string;
  /** What the client sends. */
  readonly messages: AsyncIterable<Buffer>;
  send(message: Uint8Array): void;
  /** Ends the call with a gRPC status. */
  end(code?: number, message?: string): void;
  /** Ends the whole connection, as a kill would. */
  breakConnection(): void;
}

export interface FakeEtcd {
  readonly url: string;
}

/** A server that speaks gRPC on loopback and answers as it is told to. */
export async function startFakeEtcd(owner: Owner, answer: (call: FakeCall) => Promise<void> | void): Promise<FakeEtcd> {
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => {});
    session.once('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => void answer(callOf(stream, String(headers[':path']))));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  owner.after(async () => {
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `http://127.0.0.1:${String(address.port)}` };
}

function callOf(stream: ServerHttp2Stream, path: string): FakeCall {
  stream.on('error', () => {});
  const begin = (): void => {
    if (!stream.headersSent)
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  };
  return {
    path,
    messages: readMessages(stream as AsyncIterable<Buffer>),
    send: (message) => {
      begin();
      stream.write(frameMessage(message));
    },
    end: (code = 0, message = '') => {
      stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(code), 'grpc-message': message }));
      begin();
      stream.end();
    },
    breakConnection: () => stream.session?.destroy(),
  };
}
