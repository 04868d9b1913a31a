import { invalid } from '../invalid.ts';

/** What `# check=` and the build argument `BUILDKIT_DOCKERFILE_CHECK` say. */
export interface LintOptions {
  /** Rules that say nothing; `all` for every one. */
  readonly skipped: ReadonlySet<string> | 'all';
  /** A finding fails the build. */
  readonly failsBuild: boolean;
}

/** Parses `skip=<rules|all>;error=<boolean>;experimental=<rules|all>` in any order. Throws InvalidArgument. */
export function parseLintOptions(text: string): LintOptions {
  let options: LintOptions = { skipped: new Set(), failsBuild: false };
  for (const part of text.split(';').filter((one) => one.trim() !== '')) {
    const equals = part.indexOf('=');
    const [key, value] = [part.slice(0, Math.max(equals, 0)).trim(), part.slice(equals + 1).trim()];
    if (key === 'skip') options = { ...options, skipped: value === 'all' ? 'all' : new Set(value.split(/\s*,\s*/)) };
    else if (key === 'error') options = { ...options, failsBuild: flag(value, part) };
    // There are no experimental rules here, so whoever turns some on gets none.
    else if (key !== 'experimental') throw invalid(`invalid check option ${JSON.stringify(part)}`);
  }
  return options;
}

function flag(value: string, part: string): boolean {
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw invalid(`failed to parse check option ${JSON.stringify(part)}`);
}
