import type { Module } from './module.ts';

export interface Breach {
  /** `path` or `path:line`. */
  readonly where: string;
  readonly what: string;
}

/** A law of the house. */
export interface Rule {
  readonly name: string;
  /** Why it is a law; shown when it is broken. */
  readonly reason: string;
  check(modules: readonly Module[]): readonly Breach[];
  /** A tree (path -> text) that breaks the rule, to prove that it bites. */
  readonly broken: Readonly<Record<string, string>>;
}

/** A rule that looks at one module at a time. */
export function perModule(
  rule: Omit<Rule, 'check'>,
  check: (module: Module) => Iterable<{ readonly line: number; readonly what: string }>,
): Rule {
  return {
    ...rule,
    check: (modules) =>
      modules.flatMap((module) =>
        [...check(module)].map(({ line, what }) => ({ where: `${module.path}:${String(line)}`, what })),
      ),
  };
}

/** The first folder below src, or the file itself there; '' outside of src. */
export function roomOf(path: string): string {
  return path.startsWith('src/') ? (path.split('/')[1] ?? '') : '';
}
