/** Addresses that are asked before a registry itself, by the registry's domain, `*.example.com` or `*`. */
export type Mirrors = Readonly<Record<string, readonly string[]>>;

/** The mirrors of a registry in the order in which they are asked: of its domain, else of the nearest wildcard. */
export function mirrorsOf(mirrors: Mirrors, domain: string): readonly URL[] {
  const labels = domain.split('.');
  const wildcards = labels.map((_, index) => ['*', ...labels.slice(index + 1)].join('.'));
  const key = [domain, ...wildcards, '*'].find((one) => Object.hasOwn(mirrors, one));
  return (key === undefined ? [] : (mirrors[key] ?? [])).map((text) => new URL(text));
}
