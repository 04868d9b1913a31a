import type { Logger } from '#base/logger.ts';
import { NetlinkError, type NetlinkSocket } from '#sys/netlink/netlink-socket.ts';
import { type Nft, NftError } from '#sys/nft/nft.ts';
import { generationOf, hasTable } from '#sys/nft/rules.ts';

import { updateHostFirewall } from './host-firewall.ts';
import { addElementsText, deleteElementsText, type RulesetElement, rulesetText } from './ruleset.ts';

/** All that the table has to hold, and the bridges that the host's own firewall has to let through. */
export interface FirewallState {
  readonly elements: readonly RulesetElement[];
  readonly bridgeNames: readonly string[];
}

export interface FirewallParts {
  /** Changes our own table. */
  readonly nft: Nft;
  /** Looks at the tables of others, and changes them. */
  readonly socket: NetlinkSocket;
  readonly table: string;
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
    const { nft, table, state } = this.#parts;
    nft.run(rulesetText(table, state().elements));
  }

  /** The state must hold the elements already. */
  add(elements: readonly RulesetElement[]): void {
    if (elements.length > 0) this.#change(addElementsText(this.#parts.table, elements));
  }

  /** The state must not hold the elements any more. */
  remove(elements: readonly RulesetElement[]): void {
    if (elements.length > 0) this.#change(deleteElementsText(this.#parts.table, elements));
  }

  /** Lets our bridges through firewalls of the host that drop what they do not know; false when that was not possible. */
  updateHost(): boolean {
    const { socket, table, state, logger } = this.#parts;
    try {
      updateHostFirewall(socket, table, state().bridgeNames);
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
    if (!hasTable(socket, 'inet', table)) {
      logger.warn('firewall rules of container networks were gone and are made anew', { table });
      this.rebuild();
    }
    this.#generation = this.updateHost() ? generationOf(socket) : undefined;
  }

  #change(text: string): void {
    try {
      this.#parts.nft.run(text);
    } catch (error) {
      if (!(error instanceof NftError)) throw error;
      this.#parts.logger.warn(
        'firewall rules of container networks differ from what they should be and are made anew',
        { table: this.#parts.table, error },
      );
      this.rebuild();
    }
  }
}
