import { connect, createServer, type Server, type Socket } from 'node:net';
import { pipeline } from 'node:stream';

/** Where a relay leads; asked for each connection, since a container may move to another network. */
export type RelayTarget = () => { readonly address: string; readonly port: number } | undefined;

/** Connections through one published port at once; further ones are closed. */
const maximumConnections = 512;

/**
 * Takes connections on a listening socket and carries them to the container. Kernel rules carry those of IPv4 before they
 * get here; here come those to IPv6 addresses when the container has only IPv4, those to ::1, and the few that arrive
 * before the rules are set.
 */
export class TcpRelay implements Disposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(fd: number, target: RelayTarget) {
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) =>
      this.#carry(client, target()),
    );
    this.#server.maxConnections = maximumConnections;
    // Too many open files and the like: the client sees a failed connection, and the relay goes on.
    this.#server.on('error', () => {});
    this.#server.listen({ fd, exclusive: true });
    this.#server.unref();
  }

  [Symbol.dispose](): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #carry(client: Socket, target: ReturnType<RelayTarget>): void {
    this.#own(client);
    if (target === undefined) {
      client.destroy();
      return;
    }
    const container = connect({ host: target.address, port: target.port, allowHalfOpen: true, noDelay: true });
    this.#own(container);
    client.setNoDelay(true);
    // Each direction ends alone (half-open connections), and an error of one ends both.
    pipeline(client, container, () => {});
    pipeline(container, client, () => {});
  }

  #own(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
