import { posix } from 'node:path';

import type { Instruction } from '#formats/dockerfile/dockerfile.ts';
import { parseTrigger } from '#formats/dockerfile/parse-dockerfile.ts';
import { parseRunMount, runMountFrom } from '#formats/dockerfile/run-mount.ts';
import { isGitUrl } from '#formats/git-url.ts';
import { type BuildPlan, type Names, type PlannedStage, planBuild } from './plan.ts';

/**
 * What a build can read of its context, as clean relative paths that may end in wildcards of one segment; what lies
 * below them belongs to them. undefined: all of it, or nobody can tell yet. `triggersOf` gives the ONBUILD triggers of an
 * image, undefined for one that is not here. Throws InvalidArgument as the build would.
 */
export function contextPaths(
  names: Names,
  target: string,
  triggersOf: (image: string) => readonly string[] | undefined,
): readonly string[] | undefined {
  const plan = planBuild(names, target);
  const paths = new Set<string>();
  for (const planned of plan.stages) {
    const triggers = triggersOn(names, plan, planned, triggersOf);
    if (triggers === undefined) return undefined;
    for (const instruction of [...triggers, ...planned.stage.instructions])
      for (const word of wordsOf(instruction)) {
        const path = knownPart(word);
        if (path === '') return undefined;
        paths.add(path);
      }
  }
  return [...paths].sort();
}

/** The triggers that a stage's base runs in it; undefined when they are not known. */
function triggersOn(
  { dockerfile }: Names,
  plan: BuildPlan,
  { base, stage }: PlannedStage,
  triggersOf: (image: string) => readonly string[] | undefined,
): readonly Instruction[] | undefined {
  if (base.kind === 'image') return triggersOf(base.name)?.map((text) => parseTrigger(text, dockerfile, stage.at));
  if (base.kind !== 'stage') return [];
  const below = plan.stages.find((planned) => planned.stage.index === base.index)?.stage.instructions ?? [];
  return below.flatMap((one) => (one.kind === 'onbuild' ? [parseTrigger(one.value, dockerfile, stage.at)] : []));
}

/** The words of an instruction that name files of the context. */
function wordsOf(instruction: Instruction): readonly string[] {
  if (instruction.kind === 'copy') return instruction.from === '' ? instruction.sources : [];
  if (instruction.kind === 'add') return instruction.sources.filter((source) => !isRemote(source));
  if (instruction.kind !== 'run') return [];
  return instruction.mounts
    .filter((mount) => runMountFrom(mount) === '')
    .map((mount) => parseRunMount(mount))
    .flatMap(({ type, source }) => (type === 'bind' ? [source] : []));
}

function isRemote(source: string): boolean {
  return isGitUrl(source) || /^https?:\/\//i.test(source);
}

/** The path up to where variables, quotes or `**` begin, which only the build itself knows; '' for all. */
function knownPart(word: string): string {
  const parts = word.split('/');
  const end = parts.findIndex((part) => /[$\\`"']|\*\*/.test(part));
  // A `..` behind what is left out could lead anywhere.
  if (end !== -1 && parts.slice(end).includes('..')) return '';
  const known = end === -1 ? word : parts.slice(0, end).join('/');
  return posix.resolve('/', known).slice(1);
}
