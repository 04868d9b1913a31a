import { parseAddress } from '#formats/ip-address.ts';
import { bindInetSocket, closeInetSocket } from '#sys/inet-socket.ts';

import { StatusError } from '#base/errors.ts';

import type { PublishedPort } from '../networks.ts';
import { type RelayTarget, TcpRelay } from './tcp-relay.ts';
import { UdpRelay } from './udp-relay.ts';

/** A host port that is ours: other programs that want it fail, as they would with any server. */
export interface PortHolder extends Disposable {
  readonly port: PublishedPort;
  /** From now on, carries what kernel rules do not to the container. */
  relay(target: RelayTarget): void;
}

/** Binds a port of the host. Throws SystemError: EADDRINUSE, EADDRNOTAVAIL, EACCES, EAFNOSUPPORT. */
export function holdPort(port: PublishedPort): PortHolder {
  const address = parseAddress(port.hostIp);
  if (address === undefined) {
    throw new StatusError(
      'InvalidArgument',
      `invalid host IP address "${port.hostIp}" for port ${String(port.hostPort)}`,
    );
  }
  if (port.protocol === 'sctp') {
    const name = `${String(port.containerPort)}/sctp`;
    throw new StatusError('NotSupported', `Cannot publish port ${name}: SCTP is not supported; use tcp or udp`);
  }
  const { protocol } = port;
  const socket = bindInetSocket(protocol, address, port.hostPort);
  let relay: Disposable | undefined;
  return {
    port: { ...port, hostPort: socket.port },
    relay: (target) => {
      relay =
        protocol === 'tcp' ? new TcpRelay(socket.fd, target) : new UdpRelay(socket.fd, address.family === 6, target);
    },
    [Symbol.dispose]: () => {
      if (relay === undefined) closeInetSocket(socket);
      else relay[Symbol.dispose]();
    },
  };
}
