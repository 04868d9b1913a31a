import { isDeepStrictEqual } from 'node:util';

import type { Logger } from '#base/logger.ts';
import { NetlinkError, type NetlinkSocket } from '#sys/netlink/netlink-socket.ts';
import { generationOf, hasTable } from '#sys/nft/rules.ts';
import { changeElements, exchangeElements, makeTable, type TableImage } from '#sys/nft/table.ts';

import { updateHostFirewall } from './host-firewall.ts';
import { type RulesetElement, setChanges } from './ruleset.ts';

/** All that the table has to hold, and the bridges that the host's own firewall has to let through. */
export interface FirewallState {
  readonly elements: readonly RulesetElement[];
  readonly bridgeNames: readonly string[];
}

export interface FirewallParts {
  readonly socket: NetlinkSocket;
  /** Our own table. */
  readonly table: TableImage;
  readonly state: () => FirewallState;
  readonly logger: Logger;
}

/**
 * Our nftables table and our exceptions in the host's. Changes are single elements; whenever one fails, or somebody took
 * the table away (`nft flush ruleset` does), the whole is made anew from `state`, in one transaction.
 */
export class Firewall {
  readonly #parts: FirewallParts;
  /** That of the rules when they were last seen to be in order. */
  #generation: number | undefined;

  constructor(parts: FirewallParts) {
    this.#parts = parts;
  }

  /** Makes the table anew from the state. */
  rebuild(): void {
    const { socket, table, state } = this.#parts;
    makeTable(socket, table, setChanges(state().elements), { replace: true });
  }

  /** The state must hold the elements already. */
  add(elements: readonly RulesetElement[]): void {
    if (elements.length > 0) this.#change('add', elements);
  }

  /** The state must not hold the elements any more. */
  remove(elements: readonly RulesetElement[]): void {
    if (elements.length > 0) this.#change('remove', elements);
  }

  /** One for the other, from one packet to the next. The state must hold the new ones, and the old ones no more. */
  replace(before: readonly RulesetElement[], after: readonly RulesetElement[]): void {
    const isIn = (list: readonly RulesetElement[], element: RulesetElement): boolean =>
      list.some((other) => isDeepStrictEqual(other, element));
    const gone = before.filter((element) => !isIn(after, element));
    const come = after.filter((element) => !isIn(before, element));
    const { socket, table } = this.#parts;
    if (gone.length + come.length > 0)
      this.#orRebuild(() => exchangeElements(socket, table, setChanges(gone), setChanges(come)));
  }

  /** Lets our bridges through firewalls of the host that drop what they do not know; false when that was not possible. */
  updateHost(): boolean {
    const { socket, table, state, logger } = this.#parts;
    try {
      updateHostFirewall(socket, table.name, state().bridgeNames);
      return true;
    } catch (error) {
      // Somebody changes their rules at this moment, or allows nobody to; ours work all the same.
      if (!(error instanceof NetlinkError)) throw error;
      logger.warn('cannot let containers through the firewall of the host', { error });
      return false;
    }
  }

  /** Puts back what other programs took away. Costs one question to the kernel when nobody changed any rule. */
  heal(): void {
    const { socket, table, logger } = this.#parts;
    const generation = generationOf(socket);
    if (generation === this.#generation) return;
    if (!hasTable(socket, 'inet', table.name)) {
      logger.warn('firewall rules of container networks were gone and are made anew', { table: table.name });
      this.rebuild();
    }
    // What was refused is tried again when somebody changes something, also when that was at this very moment.
    this.#generation = this.updateHost() ? generationOf(socket) : generation;
  }

  #change(verb: 'add' | 'remove', elements: readonly RulesetElement[]): void {
    const { socket, table } = this.#parts;
    this.#orRebuild(() => changeElements(socket, table, verb, setChanges(elements)));
  }

  #orRebuild(change: () => void): void {
    const { table, logger } = this.#parts;
    try {
      change();
    } catch (error) {
      if (!(error instanceof NetlinkError)) throw error;
      logger.warn('firewall rules of container networks differ from what they should be and are made anew', {
        table: table.name,
        error,
      });
      this.rebuild();
    }
  }
}
