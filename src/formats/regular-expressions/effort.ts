import { StatusError } from '#base/errors.ts';

/** Steps of one search: about a tenth of a second. Linear time is not little time when texts and programs are large. */
const effortMost = 1_000_000;

/** Counts the work of a search, and ends it. */
export class Effort {
  #left = effortMost;

  /** Throws TooLarge. */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0)
      throw new StatusError(
        'TooLarge',
        `Cannot match the regular expression: more than ${String(effortMost)} steps are needed; shorten the text or the expression`,
      );
  }
}
