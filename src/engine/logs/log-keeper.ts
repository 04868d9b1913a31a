import type { Logger } from '#base/logger.ts';

import type { LogLimits } from './log-config.ts';
import { arrangeLog, completeGenerations } from './log-files.ts';
import { compressGeneration } from './open-generation.ts';

/** Keeps the files of a log in order while conmon writes them: their number, their names, and whether they are compressed. */
export class LogKeeper {
  readonly #folder: string;
  readonly #limits: LogLimits;
  readonly #logger: Logger;
  readonly #signal: AbortSignal;
  #work: Promise<void> = Promise.resolve();

  /** Compressing that has begun goes on after a run, until `signal` aborts. */
  constructor(folder: string, limits: LogLimits, logger: Logger, signal: AbortSignal) {
    this.#folder = folder;
    this.#limits = limits;
    this.#logger = logger;
    this.#signal = signal;
  }

  /** To be called at the start and whenever conmon rotated; compressing goes on in the background. */
  arrange(): void {
    arrangeLog(this.#folder, this.#limits);
    if (this.#limits.compress) this.#work = this.#work.then(() => this.#compress());
  }

  async #compress(): Promise<void> {
    const signal = this.#signal;
    try {
      for (const generation of completeGenerations(this.#folder))
        if (!generation.compressed && !signal.aborted) await compressGeneration(generation, signal);
    } catch (error) {
      // Plain files are as good, but larger: the next rotation tries again.
      if (!signal.aborted) this.#logger.warn('log was not compressed', { folder: this.#folder, error });
    }
  }
}
