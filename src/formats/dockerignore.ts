import { posix } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { compilePathPattern, type PathPattern } from './path-pattern.ts';

interface Rule {
  readonly pattern: PathPattern;
  /** `!pattern`: takes back what an earlier rule ignored. */
  readonly again: boolean;
  readonly text: string;
}

/** The rules of a .dockerignore file, or of `--exclude` flags. */
export interface IgnoreRules {
  /** Whether the file or folder at this relative path (`a/b`) is left out. The last rule that matches wins. */
  ignores(path: string): boolean;
  /** Whether something below an ignored folder may be taken back, so that it has to be looked into. */
  mayTakeBack(folder: string): boolean;
  readonly isEmpty: boolean;
}

const maxRules = 10_000;

/** Reads a .dockerignore file: a pattern per line, `#` comments, `!` exceptions. Throws InvalidArgument. */
export function parseDockerignore(text: string): IgnoreRules {
  return compileIgnoreRules(linesOf(text));
}

function linesOf(text: string): readonly string[] {
  return text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#'));
}

/** The patterns of a .dockerignore file, cleaned, for somebody else to apply. Throws InvalidArgument. */
export function dockerignorePatterns(text: string): readonly string[] {
  return linesOf(text).flatMap((line) => {
    const rule = ruleOf(line);
    return rule === undefined ? [] : [`${rule.again ? '!' : ''}${rule.text}`];
  });
}

/** Patterns as moby's patternmatcher takes them: cleaned, a leading `/` has no meaning, empty ones are skipped. */
export function compileIgnoreRules(patterns: readonly string[]): IgnoreRules {
  if (patterns.length > maxRules)
    throw new StatusError('TooLarge', `there are more than ${String(maxRules)} patterns of files to ignore`);
  const rules = patterns.flatMap((line) => ruleOf(line) ?? []);
  const exceptions = rules.filter(({ again }) => again);
  return {
    isEmpty: rules.length === 0,
    ignores(path) {
      let ignored = false;
      for (const { pattern, again } of rules) if (again === ignored && pattern.matchesOrAbove(path)) ignored = !again;
      return ignored;
    },
    // A pattern with a wildcard before it leaves the folder may reach below any folder.
    mayTakeBack: (folder) =>
      exceptions.some(({ text }) => text.startsWith(`${folder}/`) || /[*?[\\]/.test(firstPart(text, folder))),
  };
}

function ruleOf(line: string): Rule | undefined {
  const trimmed = line.trim();
  const again = trimmed.startsWith('!');
  const written = again ? trimmed.slice(1).trim() : trimmed;
  if (written === '') {
    if (again) throw new StatusError('InvalidArgument', 'illegal exclusion pattern: "!"');
    return undefined;
  }
  const text = posix.normalize(written).replace(/^\/+/, '').replace(/\/$/, '');
  if (text === '' || text === '.') return undefined;
  return { pattern: compilePathPattern(text), again, text };
}

/** As many parts of a pattern as the folder has. */
function firstPart(pattern: string, folder: string): string {
  return pattern.split('/').slice(0, folder.split('/').length).join('/');
}
