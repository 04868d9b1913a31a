import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { required } from '#base/assert.ts';
import { StatusError } from '#base/errors.ts';
import { inlineCacheField } from '#formats/build-cache.ts';
import { parseDockerfile } from '#formats/dockerfile/parse-dockerfile.ts';
import { familiarReference, parseReference, withDefaultTag } from '#formats/reference.ts';
import type { Reference } from '#formats/reference.ts';
import type { Digest } from '#formats/oci.ts';
import type { Images } from '../images/images.ts';
import type { Snapshots } from '../snapshots/snapshots.ts';
import { assembleImage } from './assemble-image.ts';
import { BaseImages } from './base-images.ts';
import type { BuildJob } from './build-job.ts';
import { buildStage } from './build-stage.ts';
import { BuildSteps } from './build-steps.ts';
import type { BuildEvent, BuildRequest, BuildResult, StepRunner } from './builder.ts';
import type { CacheMounts } from './cache-mounts.ts';
import { checkDockerfile, tellWarnings } from './check-dockerfile.ts';
import { buildContext } from './context-tree.ts';
import { deliverImage } from './deliver-image.ts';
import { EventOrder } from './event-order.ts';
import { exportCaches, inlineSteps } from './export-cache.ts';
import { openImports } from './imported-cache.ts';
import type { LayerSteps } from './layer-steps.ts';
import { type BuildPlan, planBuild } from './plan.ts';
import { hostPlatform } from './platform.ts';
import { scanFiles } from './scan-files.ts';
import { scanTargets } from './scan-targets.ts';
import type { StageState } from './stage-state.ts';
import type { StepCache } from './step-cache.ts';
import { givenArg, globalVariables, unusedBuildArgs } from './variables.ts';

export interface BuildTools {
  readonly images: Images;
  readonly snapshots: Snapshots;
  readonly runner: StepRunner;
  readonly steps: LayerSteps;
  readonly cache: StepCache;
  readonly cacheMounts: CacheMounts;
  readonly proxy: BuildJob['proxy'];
  /** Temporary files. */
  readonly folder: string;
}

/** Builds an image and tags it, or gives it to the request's taker. See Builder.build. */
export async function buildImage(
  tools: BuildTools,
  request: BuildRequest,
  onEvent: (event: BuildEvent) => void,
  signal: AbortSignal,
): Promise<Digest> {
  const dockerfile = parseDockerfile(request.dockerfile, request.dockerfileName);
  const tags = request.tags.map(readTag);
  const platform = request.platform ?? hostPlatform();
  const globals = globalVariables(dockerfile, request.buildArgs, {
    target: platform,
    build: hostPlatform(),
    stage: request.target,
  });
  const { contexts = {} } = request;
  const plan = planBuild({ dockerfile, globals, contexts }, request.target);
  const context = await buildContext(request);
  tellWarnings(dockerfile, request, checkDockerfile(tools.images, dockerfile, request), onEvent);
  const unused = unusedBuildArgs(dockerfile, request.buildArgs);
  if (unused.length > 0)
    onEvent({ kind: 'warning', text: `One or more build-args [${unused.join(' ')}] were not consumed` });

  const folder = await mkdtemp(join(tools.folder, 'build-'));
  try {
    const { runner, cacheMounts, proxy } = tools;
    const images = new BaseImages(tools.images, request, platform);
    using steps = new BuildSteps(
      tools.steps,
      await openImports(tools.images, request, platform, onEvent, signal),
      onEvent,
    );
    const prepared = { request, dockerfile, globals, contexts, context, platform, folder };
    const job = { ...prepared, images, steps, runner, cacheMounts, proxy };
    const states = await buildStages(job, plan, onEvent, signal);
    const state = required(states.get(plan.target.stage.index), 'state of the target');
    const plain = await assembleImage(state, request, steps, signal);
    const finished = { trail: steps.trail, top: state.layer };
    const config = wantsInlineCache(request)
      ? { ...plain, [inlineCacheField]: inlineSteps(tools.snapshots, finished) }
      : plain;
    signal.throwIfAborted();
    // First: whoever takes the result may hold it for as long as the build runs.
    await exportCaches(tools, request, finished, onEvent, signal);
    const scan: BuildResult['scan'] = async (scanner, onOutput, until) =>
      await scanFiles(job, scanTargets(job, plan, states), scanner, onOutput, until);
    const result = { config, platform, bases: await images.used(), tags, take: request.take, scan };
    return await deliverImage(tools, state.layer, result, signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** `--build-arg BUILDKIT_INLINE_CACHE=1` is how clients without `--cache-to` ask for it. */
function wantsInlineCache({ cacheTo = [], buildArgs }: BuildRequest): boolean {
  const asked = givenArg(buildArgs, 'BUILDKIT_INLINE_CACHE') ?? '';
  return /^(1|t|true)$/i.test(asked) || cacheTo.some(({ kind }) => kind === 'inline');
}

/** Builds all stages of the plan, independent ones at once; the first failure ends the others. Returns what they are, by index. */
async function buildStages(
  shared: Omit<BuildJob, 'stage'>,
  plan: BuildPlan,
  onEvent: (event: BuildEvent) => void,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, StageState>> {
  const order = new EventOrder(plan.stages.length, onEvent);
  onEvent({ kind: 'plan', plan });
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const results = new Map<number, Promise<StageState>>();
  const stage = async (index: number): Promise<StageState> => {
    const result = results.get(index);
    if (result !== undefined) return await result;
    throw new StatusError(
      'NotSupported',
      `Cannot use stage ${String(index)} in a trigger of the base image: the Dockerfile itself does not need it; ` +
        'copy something from it, or build on it',
    );
  };
  for (const [position, planned] of plan.stages.entries()) {
    const emit = shared.request.mixesEvents === true ? onEvent : (event: BuildEvent) => order.push(position, event);
    const scope = { job: { ...shared, stage }, index: planned.stage.index, emit };
    const build = async (): Promise<StageState> => {
      try {
        const state = await buildStage(scope, planned, plan.totalSteps, either);
        order.finish(position);
        return state;
      } catch (error) {
        if (!either.aborted) order.fail(position);
        failure.abort(error);
        throw error;
      }
    };
    results.set(planned.stage.index, build());
  }
  await Promise.allSettled(results.values());
  signal.throwIfAborted();
  if (failure.signal.aborted) throw failure.signal.reason;
  const built = [...results].map(async ([index, result]): Promise<[number, StageState]> => [index, await result]);
  return new Map(await Promise.all(built));
}

function readTag(name: string): Reference {
  const reference = withDefaultTag(parseReference(name));
  if (reference.digest === undefined) return reference;
  throw new StatusError('InvalidArgument', `Cannot tag "${familiarReference(reference)}": a tag cannot have a digest`);
}
