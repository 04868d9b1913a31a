import type { Dockerfile } from '../dockerfile.ts';
import { instructionFindings } from './instruction-rules.ts';
import type { LintOptions } from './lint-options.ts';
import { type Finding, lintRules, lintRuleUrl } from './lint-rules.ts';
import { namingFindings } from './naming-rules.ts';
import { type Surroundings, variableFindings } from './variable-rules.ts';

export interface LintWarning extends Finding {
  readonly description: string;
  /** Where the rule is explained. */
  readonly url: string;
}

/** What BuildKit's build checks would say of a Dockerfile, by line. */
export function lintDockerfile(
  dockerfile: Dockerfile,
  { skipped }: LintOptions,
  around: Surroundings,
): readonly LintWarning[] {
  if (skipped === 'all') return [];
  const findings = [
    ...namingFindings(dockerfile),
    ...dockerfile.stages.flatMap(instructionFindings),
    ...variableFindings(dockerfile, around),
  ];
  return findings
    .filter(({ rule }) => !skipped.has(rule))
    .toSorted((one, other) => one.at.start - other.at.start)
    .map((finding) => ({ ...finding, description: lintRules[finding.rule], url: lintRuleUrl(finding.rule) }));
}
