import { samePort } from './changed-ports.ts';
import type { NameServer } from './dns/name-server.ts';
import type { PublishedPort } from './networks.ts';
import type { PortHolder } from './ports/port-holder.ts';
import type { RelayTarget } from './ports/tcp-relay.ts';

/** Where traffic for the container's port goes now. */
export type TargetAddress = () => string | undefined;

/**
 * What of a container's network lives in this process: held host ports and the name server. All else is in the kernel and
 * goes on without us.
 */
export class LiveSandbox implements Disposable {
  readonly #address: TargetAddress;
  #holders: readonly PortHolder[] = [];
  #nameServer: NameServer | undefined;

  constructor(address: TargetAddress) {
    this.#address = address;
  }

  get ports(): readonly PublishedPort[] {
    return this.#holders.map(({ port }) => port);
  }

  get hasNameServer(): boolean {
    return this.#nameServer !== undefined;
  }

  /** Takes held ports over and starts to relay what the kernel does not. */
  hold(holders: readonly PortHolder[]): void {
    this.#holders = [...this.#holders, ...holders];
    for (const holder of holders) holder.relay(this.#target(holder.port));
  }

  /** Lets some of the host ports go. */
  drop(ports: readonly PublishedPort[]): void {
    const isMeant = ({ port }: PortHolder): boolean => ports.some((other) => samePort(port, other));
    for (const holder of this.#holders.filter(isMeant)) holder[Symbol.dispose]();
    this.#holders = this.#holders.filter((holder) => !isMeant(holder));
  }

  /** Hands the host ports over to whoever holds them from now on. */
  give(): readonly PortHolder[] {
    const holders = this.#holders;
    this.#holders = [];
    return holders;
  }

  /** Lets the host ports go. */
  release(): void {
    for (const holder of this.#holders) holder[Symbol.dispose]();
    this.#holders = [];
  }

  serveNames(nameServer: NameServer): void {
    this.#nameServer?.[Symbol.dispose]();
    this.#nameServer = nameServer;
  }

  [Symbol.dispose](): void {
    this.release();
    this.#nameServer?.[Symbol.dispose]();
    this.#nameServer = undefined;
  }

  #target(port: PublishedPort): RelayTarget {
    return () => {
      const address = this.#address();
      return address === undefined ? undefined : { address, port: port.containerPort };
    };
  }
}
