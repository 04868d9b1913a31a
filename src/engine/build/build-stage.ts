import { StatusError } from '#base/errors.ts';
import { shortId } from '#base/ids.ts';
import type { Instruction } from '#formats/dockerfile/dockerfile.ts';
import { expandWord, expandWords } from '#formats/dockerfile/expand-word.ts';
import { parseTrigger } from '#formats/dockerfile/parse-dockerfile.ts';
import { placed } from '#formats/dockerfile/source-error.ts';
import type { Platform } from '#formats/oci.ts';
import type { BuildJob, StageScope } from './build-job.ts';
import { applyMetadata, type Expander, isMetadata } from './metadata.ts';
import type { StepOutcome } from './layer-steps.ts';
import type { PlannedStage } from './plan.ts';
import { parsePlatform } from './platform.ts';
import { runStep } from './run-step.ts';
import {
  scratchState,
  type StageState,
  stateId,
  stateOfImage,
  stateOfStage,
  withHistory,
  withLayer,
} from './stage-state.ts';
import { folderDescription, folderLayer, transferStep } from './transfer-step.ts';
import { declareArgs, visibleVariables } from './variables.ts';
import { workdirStep } from './workdir-step.ts';

/** Builds one stage: its base, the base's triggers, then its instructions in order. Errors have their place. */
export async function buildStage(
  scope: StageScope,
  planned: PlannedStage,
  totalSteps: number,
  signal: AbortSignal,
): Promise<StageState> {
  const { job } = scope;
  const { stage, title, firstStep } = planned;
  const from = scopeOfStep(scope, firstStep);
  const { emit } = from;
  emit({ kind: 'step', number: firstStep, total: totalSteps, text: stage.code, stage: title });
  const { state: base, id, triggers } = await located(from, stage, () => startOf(from, planned, signal), signal);
  let state = base;
  emit({ kind: 'layer', id });
  if (triggers.length > 0) {
    const plural = triggers.length === 1 ? '' : 's';
    emit({ kind: 'output', bytes: Buffer.from(`# Executing ${String(triggers.length)} build trigger${plural}\n`) });
  }
  const instructions = [
    ...triggers.map((trigger) => parseTrigger(trigger, job.dockerfile, stage.at)),
    ...stage.instructions,
  ];
  for (const [index, instruction] of instructions.entries()) {
    signal.throwIfAborted();
    const number = firstStep + 1 + index - triggers.length;
    const step = scopeOfStep(scope, Math.max(firstStep, number));
    if (number > firstStep)
      step.emit({ kind: 'step', number, total: totalSteps, text: instruction.code, stage: title });
    const before = state;
    state = await located(step, instruction, () => carryOut(step, before, instruction, signal), signal);
    step.emit({ kind: 'layer', id: stateId(state) });
  }
  return state;
}

async function startOf(
  scope: StageScope,
  { base, platform: written }: PlannedStage,
  signal: AbortSignal,
): Promise<{ readonly state: StageState; readonly id: string; readonly triggers: readonly string[] }> {
  const { job, emit } = scope;
  const platform = written === '' ? undefined : parsePlatform(written, job.platform);
  if (base.kind === 'scratch') {
    const state = scratchState(platform ?? job.platform);
    return { state, id: stateId(state), triggers: [] };
  }
  if (base.kind === 'stage') {
    const state = await job.stage(base.index);
    return { state: stateOfStage(state), id: stateId(state), triggers: state.defaults.OnBuild ?? [] };
  }
  if (base.kind === 'folder') {
    const state = await folderState(scope, base.path, platform ?? job.platform, signal);
    return { state, id: stateId(state), triggers: [] };
  }
  const image = await job.images.get(base.name, platform ?? job.request.platform, emit, signal);
  return { state: stateOfImage(image), id: shortId(image.id), triggers: image.config.config?.OnBuild ?? [] };
}

/** `FROM` a named context: nothing but its files. */
async function folderState(
  scope: StageScope,
  path: string,
  platform: Platform,
  signal: AbortSignal,
): Promise<StageState> {
  return onTop(scope, scratchState(platform), await folderLayer(scope, path, signal), folderDescription);
}

async function carryOut(
  scope: StageScope,
  state: StageState,
  instruction: Instruction,
  signal: AbortSignal,
): Promise<StageState> {
  const { job } = scope;
  const expand = expanderOf(job, state);
  if (isMetadata(instruction)) return applyMetadata(state, instruction, expand);
  if (instruction.kind === 'arg') {
    const env = state.defaults.Env ?? [];
    const args = declareArgs(state.args, instruction, { ...job, buildArgs: job.request.buildArgs, env });
    const shown = instruction.args.map(({ name }) => {
      const value = args.get(name);
      return value === undefined ? name : `${name}=${value}`;
    });
    return withHistory({ ...state, args }, `ARG ${shown.join(' ')}`);
  }
  if (instruction.kind === 'run') {
    const { outcome, createdBy } = await runStep(scope, state, instruction, expand, signal);
    return onTop(scope, state, outcome, createdBy);
  }
  if (instruction.kind === 'workdir') {
    const path = expand.word(instruction.value);
    if (path === '') throw new StatusError('InvalidArgument', 'WORKDIR is empty after expansion');
    const { outcome, state: next, createdBy } = await workdirStep(scope, state, path, signal);
    return onTop(scope, next, outcome, createdBy);
  }
  if (instruction.kind !== 'copy' && instruction.kind !== 'add')
    throw new Error('invariant broken: unknown instruction');
  const { outcome, createdBy } = await transferStep(scope, state, instruction, expand, signal);
  return onTop(scope, state, outcome, createdBy);
}

function onTop({ emit }: StageScope, state: StageState, outcome: StepOutcome, createdBy: string): StageState {
  const { layer, createdAtMs, cached } = outcome;
  if (cached) emit({ kind: 'cached' });
  return layer === undefined ? withHistory(state, createdBy) : withLayer(state, layer, createdBy, createdAtMs);
}

/** Expands words with the variables from before an instruction. */
function expanderOf({ dockerfile }: BuildJob, state: StageState): Expander {
  const variables = visibleVariables(state.args, state.defaults.Env ?? []);
  return {
    word: (text) => expandWord(text, variables, dockerfile),
    words: (text) => expandWords(text, variables, dockerfile),
  };
}

/** The scope in which events carry the step that they are about. */
function scopeOfStep(scope: StageScope, step: number): StageScope {
  return { ...scope, emit: (event) => scope.emit({ ...event, step }) };
}

/** Gives errors their place, and tells of them. */
async function located<T>(
  { job, emit }: StageScope,
  { at }: { readonly at: Instruction['at'] },
  work: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const inPlace = placed(error, job.dockerfile.source, at);
    emit({ kind: 'failed', error: inPlace, canceled: signal.aborted });
    throw inPlace;
  }
}
