/** One challenge of a WWW-Authenticate field: scheme in lower case, parameters by lower-case name. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Longest field read; longer ones count as empty. */
const fieldCharsMost = 8192;
const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const token68 = /[A-Za-z0-9._~+/-]+=*(?=\s*(?:,|$))/y;
const gap = /[\s,]*/y;
const equals = /\s*=\s*/y;
const quoted = /"((?:[^"\\]|\\.)*)"/sy;

/**
 * Reads a WWW-Authenticate field: challenges of scheme and parameters, several in one field (RFC 9110 section 11.6.1).
 * Never throws: reading ends where the grammar is broken, and what was complete until there is returned.
 */
export function parseChallenges(field: string): readonly Challenge[] {
  const scanner = new Scanner(field.length > fieldCharsMost ? '' : field);
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  for (;;) {
    scanner.take(gap);
    const name = scanner.take(token);
    if (name === undefined) return challenges;
    const current = challenges.at(-1);
    if (current !== undefined && scanner.take(equals) !== undefined) {
      const value = scanner.takeValue();
      if (value === undefined) return challenges;
      current.parameters.set(name.toLowerCase(), value);
      continue;
    }
    challenges.push({ scheme: name.toLowerCase(), parameters: new Map() });
    scanner.takeCredentials();
  }
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  take(pattern: RegExp): string | undefined {
    return this.#match(pattern)?.[0];
  }

  takeValue(): string | undefined {
    return this.#match(quoted)?.[1]?.replace(/\\(.)/gs, '$1') ?? this.take(token);
  }

  /** A token68 after a scheme (`Negotiate YII=`), which is no parameter: skipped. */
  takeCredentials(): void {
    const start = this.#at;
    if (this.#match(/[ \t]+/y) === undefined || this.#match(token68) === undefined) this.#at = start;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match;
  }
}
