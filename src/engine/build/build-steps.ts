import type { Digest } from '#formats/oci.ts';
import type { BuildEvent } from './builder.ts';
import type { ImportedCache } from './imported-cache.ts';
import type { LayerSteps, StepOutcome, StepSnapshot, StepWork } from './layer-steps.ts';
import type { TrailStep } from './trail-step.ts';

/**
 * The steps of one build: those of the engine, with the caches of registries that this build may use behind them. It
 * remembers which steps were needed, for caches that are exported.
 */
export class BuildSteps implements Disposable {
  readonly #shared: LayerSteps;
  readonly #imports: readonly ImportedCache[];
  readonly #emit: (event: BuildEvent) => void;
  readonly #trail = new Map<string, TrailStep>();
  /** Keep imported layers until the image stands on them. */
  readonly #holds = new DisposableStack();

  constructor(shared: LayerSteps, imports: readonly ImportedCache[], emit: (event: BuildEvent) => void) {
    this.#shared = shared;
    this.#imports = imports;
    this.#emit = emit;
  }

  get trail(): readonly TrailStep[] {
    return [...this.#trail.values()];
  }

  async openSnapshot(parent: Digest | undefined): Promise<StepSnapshot> {
    return await this.#shared.openSnapshot(parent);
  }

  async carryOut(work: StepWork, signal: AbortSignal): Promise<StepOutcome> {
    const known = work.noCache ? undefined : await this.find(work.key, work.description, signal);
    if (known !== undefined) return known;
    const outcome = await this.#shared.carryOut(work, signal);
    this.#remember(work.key, outcome, work.description);
    return outcome;
  }

  async find(key: string, description: string, signal: AbortSignal): Promise<StepOutcome | undefined> {
    const found = (await this.#shared.find(key)) ?? (await this.#import(key, signal));
    if (found !== undefined) this.#remember(key, found, description);
    return found;
  }

  /** Notes a second key of a result, which needs less looking at files. */
  async alias(key: string, { layer, createdAtMs }: StepOutcome, description: string): Promise<void> {
    await this.#shared.adopt({ key, chainId: layer?.chainId, createdAtMs, description, isAlias: true });
  }

  /** Notes a time that has to be the same when the same is built again. */
  async noteTime(key: string, createdAtMs: number, description: string): Promise<void> {
    await this.#shared.adopt({ key, chainId: undefined, createdAtMs, description, isAlias: false });
    this.#remember(key, { layer: undefined, createdAtMs }, description);
  }

  [Symbol.dispose](): void {
    this.#holds.dispose();
  }

  async #import(key: string, signal: AbortSignal): Promise<StepOutcome | undefined> {
    for (const cache of this.#imports) {
      const step = await cache.take(key, this.#holds, this.#emit, signal);
      if (step === undefined) continue;
      await this.#shared.adopt({ key, ...step, isAlias: false });
      return await this.#shared.find(key);
    }
    return undefined;
  }

  /** A layer stands for all steps that are known to make it: its second keys mean nothing elsewhere. */
  #remember(
    key: string,
    { layer, createdAtMs }: Pick<StepOutcome, 'layer' | 'createdAtMs'>,
    description: string,
  ): void {
    if (layer === undefined) this.#trail.set(key, { key, chainId: undefined, createdAtMs, description });
    else for (const maker of this.#shared.makersOf(layer.chainId)) this.#trail.set(maker.key, maker);
  }
}
