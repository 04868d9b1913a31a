import { reasonOf } from '#base/errors.ts';
import type { Reference } from '#formats/reference.ts';
import type { RegistryAuth } from '../images.ts';
import { Repository } from '../registry/repository.ts';
import type { Room } from '../room.ts';

/** The places that an image may come from, in the order in which they are asked: mirrors, then its own registry. */
export class Sources {
  readonly #room: Room;
  readonly #all: readonly Repository[];
  /** Where to begin: a mirror that failed is not asked again by the same pull. */
  #first = 0;

  constructor(room: Room, reference: Reference, auth: RegistryAuth | undefined) {
    this.#room = room;
    const mirrors = room.connectMirrors(reference.domain).map(({ session, prefix }) => {
      const path = prefix === '' ? reference.path : `${prefix}/${reference.path}`;
      return new Repository(session, { ...reference, path }, 'pull');
    });
    this.#all = [...mirrors, new Repository(room.connect(reference.domain, auth), reference, 'pull')];
  }

  /** Runs `work` with the first place where it does not fail; what the registry itself says is what counts. */
  async first<T>(work: (repository: Repository) => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let index = this.#first; ; index += 1) {
      const repository = this.#all[index] as Repository;
      try {
        return await work(repository);
      } catch (error) {
        signal.throwIfAborted();
        if (index >= this.#all.length - 1) throw error;
        const fields = { mirror: repository.session.domain, reason: reasonOf(error), error };
        this.#room.logger.info('a mirror was passed over', fields);
        this.#first = Math.max(this.#first, index + 1);
      }
    }
  }
}
