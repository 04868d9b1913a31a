import type { Logger } from '#base/logger.ts';
import { type Nft, NftError } from '#sys/nft/nft.ts';

import { updateHostFirewall } from './host-firewall.ts';
import { addElementsText, deleteElementsText, type RulesetElement, rulesetText } from './ruleset.ts';

/** All that the table has to hold, and the bridges that the host's own firewall has to let through. */
export interface FirewallState {
  readonly elements: readonly RulesetElement[];
  readonly bridgeNames: readonly string[];
}

/**
 * Our nftables table and our exceptions in the host's. Changes are single elements; whenever one fails, or somebody took
 * the table away (`nft flush ruleset` does), the whole is made anew from `state`, in one transaction.
 */
export class Firewall {
  readonly #nft: Nft;
  readonly #table: string;
  readonly #state: () => FirewallState;
  readonly #logger: Logger;

  constructor(nft: Nft, table: string, state: () => FirewallState, logger: Logger) {
    this.#nft = nft;
    this.#table = table;
    this.#state = state;
    this.#logger = logger;
  }

  /** Makes the table anew from the state. */
  rebuild(): void {
    this.#nft.run(rulesetText(this.#table, this.#state().elements));
  }

  /** The state must hold the elements already. */
  add(elements: readonly RulesetElement[]): void {
    if (elements.length > 0) this.#change(addElementsText(this.#table, elements));
  }

  /** The state must not hold the elements any more. */
  remove(elements: readonly RulesetElement[]): void {
    if (elements.length > 0) this.#change(deleteElementsText(this.#table, elements));
  }

  /** Lets our bridges through firewalls of the host that drop what they do not know. */
  updateHost(): void {
    try {
      updateHostFirewall(this.#nft, this.#table, this.#state().bridgeNames);
    } catch (error) {
      // Somebody else's tables may be in a state that we cannot handle; ours works all the same.
      if (!(error instanceof NftError)) throw error;
      this.#logger.warn('cannot let containers through the firewall of the host', { error });
    }
  }

  /** Puts back what other programs took away. */
  heal(): void {
    const there = this.#nft.list('list tables').some((object) => {
      const table = object['table'] as { readonly family?: string; readonly name?: string } | undefined;
      return table?.family === 'inet' && table.name === this.#table;
    });
    if (!there) {
      this.#logger.warn('firewall rules of container networks were gone and are made anew', { table: this.#table });
      this.rebuild();
    }
    this.updateHost();
  }

  #change(text: string): void {
    try {
      this.#nft.run(text);
    } catch (error) {
      if (!(error instanceof NftError)) throw error;
      this.#logger.warn('firewall rules of container networks differ from what they should be and are made anew', {
        table: this.#table,
        error,
      });
      this.rebuild();
    }
  }
}
