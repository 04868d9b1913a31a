/** One code point of a text, or none: what a `CharacterSet` decides about. */
export interface CharacterSet {
  has(codePoint: number): boolean;
}

/** A part of a class: ranges of code points in the notation of JavaScript's classes, or all that is not in them. */
export interface SetPart {
  /** Such as `\u{61}-\u{7a}` or `\p{Script=Greek}`. */
  readonly ranges: string;
  readonly isNegated: boolean;
}

const asciiCount = 128;

/** Everything that one of the parts has; `folds`: whatever the case (simple folding, as Go and JavaScript do). */
export function characterSet(parts: readonly SetPart[], isNegated: boolean, folds: boolean): CharacterSet {
  const tests = parts.map(({ ranges, isNegated }) => ({
    expression: new RegExp(`^[${ranges}]$`, folds ? 'iu' : 'u'),
    isNegated,
  }));
  const decide = (codePoint: number): boolean => {
    const text = String.fromCodePoint(codePoint);
    return tests.some((one) => one.expression.test(text) !== one.isNegated) !== isNegated;
  };
  // Most texts are ASCII: for those it is looked up.
  const ascii = Uint8Array.from({ length: asciiCount }, (_, codePoint) => Number(decide(codePoint)));
  return { has: (codePoint) => (codePoint < asciiCount ? ascii[codePoint] === 1 : decide(codePoint)) };
}

export function rangeText(low: number, high = low): string {
  const escaped = (codePoint: number): string => String.raw`\u{${codePoint.toString(16)}}`;
  return low === high ? escaped(low) : `${escaped(low)}-${escaped(high)}`;
}

/** The set of one character; of both cases when it folds. */
export function single(codePoint: number, folds: boolean): CharacterSet {
  if (folds) return characterSet([{ ranges: rangeText(codePoint), isNegated: false }], false, true);
  return { has: (other) => other === codePoint };
}

export const anyCharacter: CharacterSet = { has: () => true };
export const anyButNewline: CharacterSet = { has: (codePoint) => codePoint !== 0x0a };

const word = '0-9A-Za-z_';
/** Of Perl's classes only ASCII counts in Go (regexp/syntax, perl_groups.go). */
export const perlClasses: Readonly<Record<string, SetPart>> = {
  d: { ranges: '0-9', isNegated: false },
  D: { ranges: '0-9', isNegated: true },
  s: { ranges: String.raw`\t\n\f\r\x20`, isNegated: false },
  S: { ranges: String.raw`\t\n\f\r\x20`, isNegated: true },
  w: { ranges: word, isNegated: false },
  W: { ranges: word, isNegated: true },
};

/** Inside of brackets, `[:alpha:]` and `[:^alpha:]`. */
export const posixClasses: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: String.raw`\x00-\x7f`,
  blank: String.raw`\t\x20`,
  cntrl: String.raw`\x00-\x1f\x7f`,
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: String.raw`\x20-~`,
  punct: String.raw`!-\/:-@\[-\x60\{-~`,
  space: String.raw`\t-\r\x20`,
  upper: 'A-Z',
  word,
  xdigit: '0-9A-Fa-f',
};

/** A category or script of Unicode by Go's name (`L`, `Lu`, `Greek`, `Any`); undefined: there is none. */
export function unicodeRanges(name: string): string | undefined {
  if (name === 'Any') return String.raw`\u{0}-\u{10ffff}`;
  if (!/^[A-Z][A-Za-z_]*$/.test(name)) return undefined;
  const ranges = /^[A-Z][a-z]?$/.test(name) ? `\\p{gc=${name}}` : `\\p{Script=${name}}`;
  try {
    return new RegExp(`[${ranges}]`, 'u') instanceof RegExp ? ranges : undefined;
  } catch {
    return undefined;
  }
}
