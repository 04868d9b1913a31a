import { isObject } from '#base/json.ts';
import type { Logger } from '#base/logger.ts';
import type { Digest } from '#formats/oci.ts';
import { readJson, writeJsonDurably } from '#sys/durable-file.ts';

/** Remembers since when images are unused, over restarts: neither their own dates nor their names say it. */
export class UnusedSince {
  readonly #path: string;
  readonly #logger: Logger;
  #times: ReadonlyMap<string, number> | undefined;

  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
  }

  /** Since when each of these is unused, in milliseconds since the epoch; those that were used until now: from now on. */
  async look(unused: readonly Digest[], nowMs: number): Promise<ReadonlyMap<string, number>> {
    const before = (this.#times ??= await this.#load());
    const times = new Map(unused.map((id) => [id, Math.min(before.get(id) ?? nowMs, nowMs)]));
    const isSame = times.size === before.size && [...times].every(([id, ms]) => before.get(id) === ms);
    if (!isSame) await writeJsonDurably(this.#path, Object.fromEntries(times));
    this.#times = times;
    return times;
  }

  async #load(): Promise<ReadonlyMap<string, number>> {
    try {
      return new Map(Object.entries((await readJson(this.#path, isTimes)) ?? {}));
    } catch (error) {
      // All that is lost is time: they count as used until now.
      this.#logger.warn('it is not known any more since when images are unused', { error });
      return new Map();
    }
  }
}

function isTimes(value: unknown): value is Readonly<Record<string, number>> {
  return isObject(value) && Object.values(value).every((item) => typeof item === 'number');
}
