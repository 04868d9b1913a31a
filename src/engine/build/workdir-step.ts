import { posix } from 'node:path';

import { isUncached, type StageScope } from './build-job.ts';
import { lookUpOwner } from './files/owner.ts';
import { makeFolders } from './files/place.ts';
import { isFolderIn } from './files/resolve-in-root.ts';
import type { StepOutcome, StepSnapshot } from './layer-steps.ts';
import type { StageState } from './stage-state.ts';
import { stepKey } from './step-key.ts';

/** Carries out WORKDIR: makes the folder, owned by the USER, unless it is there. `path` has its variables expanded. */
export async function workdirStep(
  scope: StageScope,
  state: StageState,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly outcome: StepOutcome; readonly state: StageState; readonly createdBy: string }> {
  const { WorkingDir: before = '/', User: user = '' } = state.defaults;
  const full = posix.normalize(path.startsWith('/') ? path : posix.join('/', before, path)).replace(/(.)\/+$/, '$1');
  const next = { ...state, defaults: { ...state.defaults, WorkingDir: full } };
  const key = stepKey('workdir', [state.layer ?? null, full, user]);
  const description = `WORKDIR ${full}`;
  const run = async ({ root }: StepSnapshot): Promise<boolean> => {
    if (isFolderIn(root, full)) return false;
    makeFolders(root, full, lookUpOwner(root, user));
    return await Promise.resolve(true);
  };
  const outcome = await scope.job.steps.carryOut(
    { parent: state.layer, key, noCache: isUncached(scope), description, run },
    signal,
  );
  return { outcome, state: next, createdBy: description };
}
