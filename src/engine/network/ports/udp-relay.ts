import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';

import { after } from '#base/clock.ts';

import type { RelayTarget } from './tcp-relay.ts';

/** Clients of one published port at once; a further one takes the place of the one that came first. */
const maximumFlows = 256;
const idleTimeoutMs = 60_000;

interface Flow extends Disposable {
  send(datagram: Buffer): void;
}

/** The counterpart of TcpRelay for datagrams: a socket towards the container for each client, for as long as it speaks. */
export class UdpRelay implements Disposable {
  readonly #socket: Socket;
  readonly #flows = new Map<string, Flow>();
  readonly #target: RelayTarget;
  #open = true;

  constructor(fd: number, ipv6: boolean, target: RelayTarget) {
    this.#target = target;
    this.#socket = createSocket(ipv6 ? 'udp6' : 'udp4', (datagram, from) => this.#onDatagram(datagram, from));
    this.#socket.on('error', () => {});
    this.#socket.bind({ fd, exclusive: true });
    this.#socket.unref();
  }

  [Symbol.dispose](): void {
    this.#open = false;
    this.#socket.close();
    for (const flow of this.#flows.values()) flow[Symbol.dispose]();
    this.#flows.clear();
  }

  #onDatagram(datagram: Buffer, from: RemoteInfo): void {
    const key = `${from.address} ${String(from.port)}`;
    const flow = this.#flows.get(key) ?? this.#addFlow(key, from);
    flow?.send(datagram);
  }

  #addFlow(key: string, client: RemoteInfo): Flow | undefined {
    const target = this.#target();
    if (target === undefined) return undefined;
    const [first] = this.#flows.keys();
    if (this.#flows.size >= maximumFlows && first !== undefined) this.#drop(first);
    const reply = (datagram: Buffer): void => {
      if (this.#open) this.#socket.send(datagram, client.port, client.address);
    };
    const flow = openFlow(target, reply, () => this.#drop(key));
    this.#flows.set(key, flow);
    return flow;
  }

  #drop(key: string): void {
    this.#flows.get(key)?.[Symbol.dispose]();
    this.#flows.delete(key);
  }
}

function openFlow(
  target: NonNullable<ReturnType<RelayTarget>>,
  reply: (datagram: Buffer) => void,
  drop: () => void,
): Flow {
  const socket = createSocket(target.address.includes(':') ? 'udp6' : 'udp4', (datagram) => {
    timer = restart(timer);
    reply(datagram);
  });
  const restart = (old: Disposable | undefined): Disposable => {
    old?.[Symbol.dispose]();
    return after(idleTimeoutMs, drop);
  };
  let timer = restart(undefined);
  socket.on('error', () => {});
  socket.unref();
  return {
    send: (datagram) => {
      timer = restart(timer);
      socket.send(datagram, target.port, target.address);
    },
    [Symbol.dispose]: () => {
      timer[Symbol.dispose]();
      socket.close();
    },
  };
}
