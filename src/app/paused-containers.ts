import { KeyedLock } from '#base/keyed-lock.ts';
import type { Logger } from '#base/logger.ts';
import type { Containers } from '#engine/runtime/containers.ts';
import { readJson, removeDurably, writeJsonDurably } from '#sys/durable-file.ts';

/**
 * Holds containers still for a moment. Who is held is noted on disk first: a daemon that was killed meanwhile lets them
 * go on when it comes back.
 */
export class PausedContainers {
  readonly #notePath: string;
  readonly #logger: Logger;
  readonly #lock = new KeyedLock();

  constructor(notePath: string, logger: Logger) {
    this.#notePath = notePath;
    this.#logger = logger;
  }

  /** Runs `work` while those of the containers that run are paused; others stay as they are. */
  async during<T>(containers: Containers, ids: readonly string[], work: () => Promise<T>): Promise<T> {
    return this.#lock.run('', async () => {
      const held = ids.filter((id) => containers.find(id)?.state.status === 'running');
      if (held.length > 0) await writeJsonDurably(this.#notePath, held);
      try {
        for (const id of held) await containers.pause(id);
        return await work();
      } finally {
        await this.resume(containers);
      }
    });
  }

  /** Lets everything go on that an earlier life held. */
  async resume(containers: Containers): Promise<void> {
    for (const id of (await readJson(this.#notePath, isIds)) ?? []) {
      if (containers.find(id)?.state.status !== 'paused') continue;
      try {
        await containers.unpause(id);
      } catch (error) {
        this.#logger.error('container stays paused', { container: id, error });
      }
    }
    await removeDurably(this.#notePath);
  }
}

function isIds(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((id) => typeof id === 'string');
}
