import { connect, type NetConnectOpts, type Server } from 'node:net';

/**
 * Listens on a unix socket that only its owner may use, from its first moment on: listen(2) binds before it returns, so no other
 * file gets the stricter mode. Rejects with Node's error (EADDRINUSE, EACCES, ...).
 */
export async function listenPrivately(server: Server, path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  const umask = process.umask(0o177);
  try {
    server.listen(path, resolve);
  } finally {
    process.umask(umask);
  }
  await promise.finally(() => server.off('error', reject));
}

/** Whether somebody accepts connections there; false also when the signal in `where` aborts before. */
export async function acceptsConnections(where: NetConnectOpts): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(where);
  socket.once('connect', () => resolve(true));
  socket.once('error', () => resolve(false));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
