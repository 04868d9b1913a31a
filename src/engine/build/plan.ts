import { StatusError } from '#base/errors.ts';
import type { Dockerfile, Instruction, LineRange, Stage } from '#formats/dockerfile/dockerfile.ts';
import type { Variables } from '#formats/dockerfile/expand-word.ts';
import { parseTrigger } from '#formats/dockerfile/parse-dockerfile.ts';
import { runMountFrom } from '#formats/dockerfile/run-mount.ts';
import { sourceError } from '#formats/dockerfile/source-error.ts';
import { suggest } from '#formats/dockerfile/suggest.ts';
import { familiarReference, parseReference, withDefaultTag } from '#formats/reference.ts';
import type { NamedContext } from './named-context.ts';
import { expandAt } from './variables.ts';

/** Where the files of a stage, a COPY or a mount come from. */
export type Origin = NamedContext | { readonly kind: 'scratch' } | { readonly kind: 'stage'; readonly index: number };

/** What names in a Dockerfile can mean. */
export interface Names {
  readonly dockerfile: Dockerfile;
  readonly globals: Variables;
  readonly contexts: Readonly<Record<string, NamedContext>>;
}

export interface PlannedStage {
  readonly stage: Stage;
  /** For messages: its name or its index. */
  readonly title: string;
  readonly base: Origin;
  /** `--platform` with variables expanded; '' when not given. */
  readonly platform: string;
  /** Number of its FROM among all steps of the build, from 1; its instructions follow. */
  readonly firstStep: number;
}

/** Which stages have to be built, in the order of the file, and how their steps are numbered. */
export interface BuildPlan {
  readonly stages: readonly PlannedStage[];
  readonly target: PlannedStage;
  readonly totalSteps: number;
}

/** Works out what the target needs; nothing else is built. Throws InvalidArgument for a target or stage that is not there. */
export function planBuild(names: Names, target: string): BuildPlan {
  const { dockerfile, globals } = names;
  const index = targetIndex(dockerfile, target);
  const needed = neededStages(names, index);
  const stages: PlannedStage[] = [];
  let step = 1;
  for (const stage of dockerfile.stages) {
    if (!needed.has(stage.index)) continue;
    const title = stage.name === '' ? String(stage.index) : stage.name;
    const platform = expandAt(dockerfile, stage.at, stage.platform, globals);
    stages.push({ stage, title, platform, base: baseOf(names, stage), firstStep: step });
    step += 1 + stage.instructions.length;
  }
  const planned = stages.find(({ stage }) => stage.index === index);
  if (planned === undefined) throw new Error('invariant broken: the target is not among the needed stages');
  return { stages, target: planned, totalSteps: step - 1 };
}

/**
 * What `--from` of an instruction in stage `current` means: a stage before it by name or index, else an image. Throws
 * InvalidArgument for a stage that comes later.
 */
export function originOf(
  { dockerfile, contexts }: Omit<Names, 'globals'>,
  from: string,
  current: number,
  at: LineRange,
): Origin {
  const context = contextOf(contexts, from);
  if (context !== undefined) return context;
  if (from.toLowerCase() === 'scratch') return { kind: 'scratch' };
  const byIndex = /^[0-9]{1,9}$/.test(from) ? Number(from) : undefined;
  if (byIndex !== undefined && byIndex >= dockerfile.stages.length)
    throw sourceError(
      dockerfile.source,
      at,
      `invalid stage index ${from}: there are ${String(dockerfile.stages.length)}`,
    );
  // Names may come twice: the last one before this stage counts, else a later one, which is an error.
  const named = dockerfile.stages.filter(({ name }) => name !== '' && name === from.toLowerCase());
  const index = byIndex ?? (named.findLast((stage) => stage.index < current) ?? named[0])?.index ?? -1;
  if (index === -1) return { kind: 'image', name: from };
  if (index >= current)
    throw sourceError(
      dockerfile.source,
      at,
      `cannot copy from stage ${JSON.stringify(from)}, it needs to be defined before current stage`,
    );
  return { kind: 'stage', index };
}

function targetIndex(dockerfile: Dockerfile, target: string): number {
  if (target === '') return dockerfile.stages.length - 1;
  const named = dockerfile.stages.findLastIndex(({ name }) => name !== '' && name === target.toLowerCase());
  if (named !== -1) return named;
  const index = /^[0-9]{1,9}$/.test(target) ? Number(target) : dockerfile.stages.length;
  if (index < dockerfile.stages.length) return index;
  const names = dockerfile.stages.map(({ name }) => name).filter((name) => name !== '');
  throw new StatusError(
    'InvalidArgument',
    `target stage ${JSON.stringify(target)} could not be found${suggest(target, names)}`,
  );
}

function neededStages(names: Names, target: number): ReadonlySet<number> {
  const { dockerfile } = names;
  // A set that is iterated while it grows visits what is added; stages only need earlier ones, so this ends.
  const needed = new Set([target]);
  for (const index of needed) {
    const stage = dockerfile.stages[index];
    if (stage === undefined) continue;
    const base = baseOf(names, stage);
    const instructions = [...triggersFrom(dockerfile, base, stage), ...stage.instructions];
    const origins = instructions.flatMap((instruction) => originsOf(names, instruction, index));
    for (const origin of [base, ...origins]) if (origin.kind === 'stage') needed.add(origin.index);
  }
  return needed;
}

/** The ONBUILD triggers of a base that is a stage; those of an image are only known when it is here. */
function triggersFrom(dockerfile: Dockerfile, base: Origin, { at }: Stage): readonly Instruction[] {
  const instructions = base.kind === 'stage' ? (dockerfile.stages[base.index]?.instructions ?? []) : [];
  return instructions.flatMap((instruction) =>
    instruction.kind === 'onbuild' ? [parseTrigger(instruction.value, dockerfile, at)] : [],
  );
}

/** The last earlier stage of that name, as BuildKit has it, else an image. */
function baseOf({ dockerfile, globals, contexts }: Names, stage: Stage): Origin {
  const name = expandAt(dockerfile, stage.at, stage.base, globals);
  if (name === '') throw sourceError(dockerfile.source, stage.at, `base name (${stage.base}) should not be blank`);
  const context = contextOf(contexts, name);
  if (context !== undefined) return context;
  if (name === 'scratch') return { kind: 'scratch' };
  const index = dockerfile.stages.findLastIndex(
    (other) => other.index < stage.index && other.name !== '' && other.name === name.toLowerCase(),
  );
  return index === -1 ? { kind: 'image', name } : { kind: 'stage', index };
}

/** Every origin that an instruction reads from, the build context aside. */
function originsOf(names: Names, instruction: Instruction, current: number): readonly Origin[] {
  const { at } = instruction;
  if (instruction.kind === 'copy' && instruction.from !== '') return [originOf(names, instruction.from, current, at)];
  if (instruction.kind !== 'run') return [];
  const froms = instruction.mounts.map((mount) => runMountFrom(mount)).filter((from) => from !== '');
  return froms.map((from) => originOf(names, from, current, at));
}

/** Contexts are named as images are: `app`, `app:latest` and `docker.io/library/app` are the same. */
function contextOf(contexts: Names['contexts'], name: string): NamedContext | undefined {
  return Object.entries(contexts).find(([known]) => known === name || sameImage(known, name))?.[1];
}

function sameImage(one: string, other: string): boolean {
  try {
    const [first, second] = [one, other].map((name) => familiarReference(withDefaultTag(parseReference(name))));
    return first === second;
  } catch {
    // Not every name of a stage or a context is one that an image can have.
    return false;
  }
}
