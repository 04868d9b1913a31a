import { createServer, type AddressInfo, type Socket } from 'node:net';

import { StatusError } from '#base/errors.ts';

export interface TcpDoor extends AsyncDisposable {
  readonly port: number;
}

/**
 * Accepts connections, of which nothing is read before somebody takes them: whoever serves them may be made only then.
 * Port 0 is any. Throws Busy when the port is taken.
 */
export async function openTcpDoor(
  host: string,
  port: number,
  onConnection: (socket: Socket) => void,
): Promise<TcpDoor> {
  const server = createServer({ pauseOnConnect: true, noDelay: true, keepAlive: true }, onConnection);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, () => resolve());
  try {
    await promise;
  } catch (error) {
    const where = `${host}:${String(port)}`;
    const way = 'stop what listens there, or set kubernetes.listen';
    throw new StatusError('Busy', `Cannot serve the Kubernetes API on ${where}: it cannot be listened on; ${way}`, {
      cause: error,
    });
  } finally {
    server.off('error', reject);
  }
  return {
    port: (server.address() as AddressInfo).port,
    // Connections belong to whoever took them, and may be open for long: only the listening ends here.
    [Symbol.asyncDispose]: async () => {
      server.close();
      await Promise.resolve();
    },
  };
}
