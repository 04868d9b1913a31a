import { StatusError } from '#base/errors.ts';
import { type IpAddress, parseAddress } from '#formats/ip-address.ts';
import { hasCode } from '#sys/errno.ts';
import { bindInetSocket, closeInetSocket, type InetSocket } from '#sys/inet-socket.ts';

import type { PublishedPort } from '../networks.ts';
import { type RelayTarget, TcpRelay } from './tcp-relay.ts';
import { UdpRelay } from './udp-relay.ts';

/** A host port that is ours: other programs that want it fail, as they would with any server. */
export interface PortHolder extends Disposable {
  readonly port: PublishedPort;
  /** From now on, carries what kernel rules do not to the container; connections that are there stay where they are. */
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
  const { protocol } = port;
  const socket = bind(port, address);
  let relay: Disposable | undefined;
  let current: RelayTarget = () => undefined;
  return {
    port: { ...port, hostPort: socket.port },
    relay: (target) => {
      current = target;
      const ask: RelayTarget = () => current();
      if (protocol === 'tcp') relay ??= new TcpRelay(socket.fd, ask);
      if (protocol === 'udp') relay ??= new UdpRelay(socket.fd, address.family === 6, ask);
    },
    [Symbol.dispose]: () => {
      if (relay === undefined) closeInetSocket(socket);
      else relay[Symbol.dispose]();
    },
  };
}

/** A port that is published at the container's own address only. */
export function heldNowhere(port: PublishedPort): PortHolder {
  return { port, relay: () => {}, [Symbol.dispose]: () => {} };
}

function bind({ protocol, containerPort, hostPort }: PublishedPort, address: IpAddress): InetSocket {
  try {
    return bindInetSocket(protocol, address, hostPort);
  } catch (error) {
    if (protocol !== 'sctp' || !hasCode(error, 'EPROTONOSUPPORT', 'ESOCKTNOSUPPORT')) throw error;
    const message = `Cannot publish port ${String(containerPort)}/sctp: this machine's kernel has no SCTP; load module sctp, or use tcp or udp`;
    throw new StatusError('NotSupported', message, { cause: error });
  }
}
