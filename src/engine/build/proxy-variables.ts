const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];

/** Proxy settings as an environment that every program understands: some read small names only. */
export function proxyVariables(proxy: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  const given = names.flatMap((name) => {
    const value = proxy[name] ?? '';
    return value === '' ? [] : [[name, value] as const, [name.toLowerCase(), value] as const];
  });
  return Object.fromEntries(given);
}
