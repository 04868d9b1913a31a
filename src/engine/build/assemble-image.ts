import { createHash } from 'node:crypto';

import { nowMs } from '#base/clock.ts';
import type { ImageConfig } from '#formats/oci.ts';
import type { BuildRequest } from './builder.ts';
import type { BuildSteps } from './build-steps.ts';
import type { StageState } from './stage-state.ts';
import { stepKey } from './step-key.ts';

const description = 'time of creation of an image';

/**
 * The image's configuration. A build that makes the same image as an earlier one gets that one's time of creation, and
 * so the same ID. `SOURCE_DATE_EPOCH` (seconds) decides the time when it is given.
 */
export async function assembleImage(
  state: StageState,
  request: BuildRequest,
  steps: BuildSteps,
  signal: AbortSignal,
): Promise<ImageConfig> {
  const { platform, author, diffIds, history } = state;
  const draft = {
    architecture: platform.architecture,
    os: platform.os,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    ...(author === undefined ? {} : { author }),
    config: withLabels(state, request.labels),
    rootfs: { type: 'layers', diff_ids: diffIds },
  } as const;
  const createdAtMs =
    epochOf(request) ?? (await rememberedTime(JSON.stringify([draft, history]), request, steps, signal));
  const created = new Date(createdAtMs).toISOString();
  return { ...draft, created, history: history.map((entry) => ({ created, ...entry })) };
}

function withLabels(
  { defaults }: StageState,
  labels: Readonly<Record<string, string>>,
): NonNullable<ImageConfig['config']> {
  if (Object.keys(labels).length === 0) return defaults;
  const sorted = Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1));
  return { ...defaults, Labels: { ...defaults.Labels, ...Object.fromEntries(sorted) } };
}

async function rememberedTime(
  draft: string,
  { noCache }: BuildRequest,
  steps: BuildSteps,
  signal: AbortSignal,
): Promise<number> {
  const key = stepKey('image', createHash('sha256').update(draft).digest('hex'));
  const known = noCache ? undefined : await steps.find(key, description, signal);
  if (known !== undefined) return known.createdAtMs;
  const createdAtMs = nowMs();
  await steps.noteTime(key, createdAtMs, description);
  return createdAtMs;
}

function epochOf({ buildArgs }: BuildRequest): number | undefined {
  const text = buildArgs['SOURCE_DATE_EPOCH'];
  return text !== undefined && /^[0-9]{1,12}$/.test(text) ? Number(text) * 1000 : undefined;
}
