import type { BuildJob } from './build-job.ts';
import type { BuildPlan } from './plan.ts';
import type { ScanTargets } from './scan-files.ts';
import type { StageState } from './stage-state.ts';

/** Arguments that say, for all stages or in one, what else is looked at (buildkit: docs/attestations/sbom.md). */
const stageArgument = 'BUILDKIT_SBOM_SCAN_STAGE';
const contextArgument = 'BUILDKIT_SBOM_SCAN_CONTEXT';

/** What a scanner gets to see of a build: its result, and the stages and the context that the Dockerfile names. */
export function scanTargets(
  { globals, request }: Pick<BuildJob, 'globals' | 'request'>,
  { stages, target }: BuildPlan,
  states: ReadonlyMap<number, Pick<StageState, 'layer' | 'args'>>,
): ScanTargets {
  const extras = new Map<string, StageState['layer']>();
  let seesContext = false;
  for (const { stage } of stages) {
    const state = states.get(stage.index);
    const wants = (argument: string): boolean =>
      isMeant(state?.args.get(argument) ?? globals.get(argument) ?? '', stage.name);
    seesContext ||= wants(contextArgument);
    if (stage.index !== target.stage.index && wants(stageArgument))
      extras.set(stage.name === '' ? `stage-${String(stage.index)}` : stage.name, state?.layer);
  }
  return {
    core: states.get(target.stage.index)?.layer,
    stages: extras,
    context: seesContext ? request.contextDir : undefined,
  };
}

/** The value is a yes or no, or a list of stages. */
function isMeant(value: string, stage: string): boolean {
  if (/^(1|t|true)$/i.test(value)) return true;
  return stage !== '' && value.toLowerCase().split(',').includes(stage);
}
