import type { ApiVersion } from '../http/api-version.ts';
import { speaks } from '../http/api-version.ts';
import { containerRules } from './container-rules.ts';
import { imageRules } from './image-rules.ts';
import type { Body, Rule } from './rule.ts';
import { systemRules } from './system-rules.ts';

/** Kinds of bodies whose shape depends on the version (moby, api/docs/CHANGELOG.md). */
const rules = { ...containerRules, ...imageRules, ...systemRules };

/** A body as a client of this version expects it. Handlers make one shape, which has all that any version shows. */
export function shownTo(version: ApiVersion, kind: keyof typeof rules, body: object): object {
  let shown = body as Body;
  const ofKind: readonly Rule[] = rules[kind];
  for (const { since = 0, below = Infinity, change } of ofKind) {
    if (speaks(version, since) && !speaks(version, below)) shown = change(shown);
  }
  return shown;
}
