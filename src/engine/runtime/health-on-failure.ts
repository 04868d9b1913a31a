import { StatusError } from '#base/errors.ts';

/** What is to become of a container that turned unhealthy: Podman's words for `--health-on-failure`. */
const actions = ['none', 'kill', 'restart', 'stop'] as const;

export type HealthOnFailure = (typeof actions)[number];

/** Docker's clients have no flag for it, so it is a label. */
const label = 'io.slipway.health-on-failure';

/** What a container's labels say; `none` when they say nothing. Throws InvalidArgument for another word. */
export function healthOnFailure(labels: Readonly<Record<string, string>>): HealthOnFailure {
  const wanted = labels[label] ?? 'none';
  const action = actions.find((one) => one === wanted);
  if (action !== undefined) return action;
  throw new StatusError('InvalidArgument', `invalid label ${label}=${wanted}: want one of ${actions.join(', ')}`);
}
