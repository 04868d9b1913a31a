/** `Always` for the tag `latest`, which is also that of a name without tag and digest. */
export function pullPolicyOf(image = ''): 'Always' | 'IfNotPresent' {
  const match = /^(?:[^@]*\/)?[^@/:]+(?::([^@/:]+))?(@.+)?$/.exec(image);
  if (match === null) return 'IfNotPresent';
  const [, tag, digest] = match;
  return (tag ?? (digest === undefined ? 'latest' : '')) === 'latest' ? 'Always' : 'IfNotPresent';
}
