/**
 * Docker's `reference` filter: path.Match on the familiar name, its full form, or the name without tag. `*` and `?` stop
 * at slashes, `[...]` is a class. Linear: each star is tried greedily with one point to come back to per segment.
 */
export function referencePattern(pattern: string): (name: string) => boolean {
  return (name) => {
    const bare = name.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
    const prefixes = name.includes('/') ? [''] : ['', 'library/', 'docker.io/library/'];
    const candidates = prefixes.flatMap((prefix) => [prefix + name, prefix + bare]);
    return candidates.some((candidate) => matchesGlob(pattern, candidate));
  };
}

function matchesGlob(pattern: string, text: string): boolean {
  const patterns = pattern.split('/');
  const segments = text.split('/');
  return (
    patterns.length === segments.length && patterns.every((part, index) => matchesSegment(part, segments[index] ?? ''))
  );
}

function matchesSegment(pattern: string, text: string): boolean {
  let [at, position, starAt, starPosition] = [0, 0, -1, 0];
  while (position < text.length) {
    const token = tokenAt(pattern, at);
    if (token?.kind === 'star') {
      [starAt, starPosition] = [at, position];
      at += token.length;
    } else if (token?.kind === 'one' && token.matches(text[position] ?? '')) {
      at += token.length;
      position += 1;
    } else if (starAt >= 0) {
      starPosition += 1;
      [at, position] = [starAt + 1, starPosition];
    } else return false;
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}

type Token =
  | { readonly kind: 'star'; readonly length: 1 }
  | { readonly kind: 'one'; readonly length: number; readonly matches: (character: string) => boolean };

function tokenAt(pattern: string, at: number): Token | undefined {
  const character = pattern[at];
  if (character === undefined) return undefined;
  if (character === '*') return { kind: 'star', length: 1 };
  if (character === '?') return { kind: 'one', length: 1, matches: () => true };
  if (character === '\\' && at + 1 < pattern.length) return literal(pattern[at + 1] ?? '', 2);
  const end = character === '[' ? pattern.indexOf(']', at + 2) : -1;
  if (end < 0) return literal(character, 1);
  const members = pattern.slice(at + 1, end);
  const negated = members.startsWith('^');
  const body = negated ? members.slice(1) : members;
  return { kind: 'one', length: end + 1 - at, matches: (other) => inClass(body, other) !== negated };
}

function literal(character: string, length: number): Token {
  return { kind: 'one', length, matches: (other) => other === character };
}

function inClass(members: string, character: string): boolean {
  for (let index = 0; index < members.length; index += 1) {
    const from = members[index] ?? '';
    const isRange = members[index + 1] === '-' && index + 2 < members.length;
    const to = isRange ? (members[index + 2] ?? '') : from;
    if (from <= character && character <= to) return true;
    if (isRange) index += 2;
  }
  return false;
}
