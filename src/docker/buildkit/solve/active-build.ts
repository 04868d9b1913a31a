import { newId } from '#base/ids.ts';
import type { BuildResult } from '#engine/build/builder.ts';
import type { Attestation } from '#engine/images/images.ts';
import type { Decoded } from '#formats/protobuf/message.ts';

import type { solveRequest } from '../messages/control-messages.ts';
import { StatusLog } from '../progress/status-log.ts';

export type SolveRequest = Decoded<typeof solveRequest>;

/** What a client decided to do with the results that it asked for. */
export interface Decision {
  /** Of the result to export; '' for none. */
  readonly resultId: string;
  /** Why there is none, in the client's words; '' when all is well. */
  readonly error: string;
}

/** Something that is claimed of an image. */
export interface Claim {
  readonly attestation: Attestation;
  /** It goes with images that are pushed, and with nothing else. */
  readonly onPushOnly: boolean;
}

/** What was built, with what is claimed of it. */
export interface BuiltImage extends BuildResult {
  readonly claims: readonly Claim[];
}

/** One image for each platform. */
export interface Built {
  readonly images: readonly BuiltImage[];
}

/** What goes with an image to where it is brought. */
export function claimsFor({ claims }: BuiltImage, { pushes }: { readonly pushes: boolean }): readonly Attestation[] {
  return claims.filter(({ onPushOnly }) => pushes || !onPushOnly).map(({ attestation }) => attestation);
}

/** One build of a client, from its Solve to the end of that call; disposing ends all work for it. */
export class ActiveBuild implements AsyncDisposable {
  readonly ref: string;
  readonly request: SolveRequest;
  readonly log = new StatusLog();
  /** Aborts when the client ends its Solve, by leaving or because it is answered. */
  readonly signal: AbortSignal;
  /** Settles when the client says which result it wants (`Return`). */
  readonly decision = Promise.withResolvers<Decision>();
  /** What the client is told when its Solve has gone well. */
  readonly response = new Map<string, string>();
  /** The first error of what was built for it: clients send back its text alone. */
  failure: unknown;
  readonly #end = new AbortController();
  readonly #released = Promise.withResolvers<void>();
  readonly #results = new Map<string, Built>();
  readonly #work = new Set<Promise<void>>();

  constructor(request: SolveRequest, signal: AbortSignal) {
    this.ref = request.ref;
    this.request = request;
    this.signal = AbortSignal.any([signal, this.#end.signal]);
  }

  /** Begins work that makes a result and then holds it until the build is finished. Resolves with the result's ID. */
  async result(make: (hold: (result: Built) => Promise<void>) => Promise<void>): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const hold = async (result: Built): Promise<void> => {
      const id = newId();
      this.#results.set(id, result);
      resolve(id);
      await Promise.race([this.#released.promise, aborted(this.signal)]);
    };
    const work = make(hold).catch((error: unknown) => {
      this.failure ??= error;
      reject(error);
    });
    this.#work.add(work);
    return await promise;
  }

  find(resultId: string): Built | undefined {
    return this.#results.get(resultId);
  }

  /** Lets go of the results, once they are exported, and waits for what is still to be done. Throws what that throws. */
  async finish(): Promise<void> {
    const before = this.failure;
    this.#released.resolve();
    await Promise.all(this.#work);
    if (this.failure !== before) throw this.failure;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort(new Error('the build has ended'));
    this.log.close();
    await Promise.all(this.#work);
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) return;
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
}
