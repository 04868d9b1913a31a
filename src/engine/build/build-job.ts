import type { Dockerfile } from '#formats/dockerfile/dockerfile.ts';
import type { Variables } from '#formats/dockerfile/expand-word.ts';
import type { Digest, Platform } from '#formats/oci.ts';
import type { BaseImages } from './base-images.ts';
import type { BuildEvent, BuildRequest, StepRunner } from './builder.ts';
import type { BuildSteps } from './build-steps.ts';
import type { CacheMounts } from './cache-mounts.ts';
import type { ContextTree } from './context-tree.ts';
import type { NamedContext } from './named-context.ts';
import type { Origin } from './plan.ts';
import type { StageState } from './stage-state.ts';

/** What all stages of one build share. */
export interface BuildJob {
  readonly request: BuildRequest;
  readonly dockerfile: Dockerfile;
  readonly globals: Variables;
  readonly contexts: Readonly<Record<string, NamedContext>>;
  readonly context: ContextTree;
  /** What is built for. */
  readonly platform: Platform;
  /** A folder for temporary files of this build, removed when it ends. */
  readonly folder: string;
  readonly images: BaseImages;
  readonly steps: BuildSteps;
  readonly runner: StepRunner;
  readonly cacheMounts: CacheMounts;
  /** For ADD: `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`. */
  readonly proxy: Readonly<Record<string, string | undefined>>;
  /** The result of a stage; waits until it is built. */
  stage(index: number): Promise<StageState>;
}

/** What one stage's steps work with. */
export interface StageScope {
  readonly job: BuildJob;
  readonly index: number;
  readonly emit: (event: BuildEvent) => void;
}

/** The layer that an origin's files are in; undefined for nothing. Pulls an image that is not here. */
export async function layerOf(
  { job, emit }: StageScope,
  origin: Exclude<Origin, { readonly kind: 'folder' }>,
  signal: AbortSignal,
): Promise<Digest | undefined> {
  if (origin.kind === 'scratch') return undefined;
  if (origin.kind === 'stage') return (await job.stage(origin.index)).layer;
  return (await job.images.get(origin.name, job.request.platform, emit, signal)).topLayer;
}

/** Whether a stage's steps must not be taken from the cache. */
export function isUncached({ job: { request, dockerfile }, index }: StageScope): boolean {
  const name = dockerfile.stages[index]?.name ?? '';
  const stages = request.noCacheStages ?? [];
  return request.noCache || stages.some((stage) => stage.toLowerCase() === name || stage === String(index));
}
