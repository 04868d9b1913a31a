/** One `deb` source of apt: an address with its suites and components (sources.list(5)). */
export interface AptSource {
  readonly uri: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** Path of a keyring; undefined when none is named, or keys stand in the file itself. */
  readonly signedBy: string | undefined;
}

const optionLine = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)((?:\s+\S+)*)$/;

/** The enabled `deb` sources of a one-line-style `.list` file. Lines that are none are skipped. */
export function parseSourcesList(text: string): readonly AptSource[] {
  return text.split('\n').flatMap((line): readonly AptSource[] => {
    const match = optionLine.exec(line.replace(/#.*$/, '').trim());
    if (match === null) return [];
    const [, options = '', uri = '', suite = '', components = ''] = match;
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1];
    return [{ uri, suites: [suite], components: words(components), signedBy: keyringPath(signedBy) }];
  });
}

/** The enabled `deb` sources of a deb822-style `.sources` file. Stanzas that are none are skipped. */
export function parseDeb822Sources(text: string): readonly AptSource[] {
  return stanzasOf(text).flatMap((fields): readonly AptSource[] => {
    if (!words(fields.get('types') ?? '').includes('deb')) return [];
    if (/^(no|false|without|off|disable|0)$/i.test(fields.get('enabled') ?? 'yes')) return [];
    const suites = words(fields.get('suites') ?? '');
    const components = words(fields.get('components') ?? '');
    const signedBy = keyringPath(fields.get('signed-by'));
    return words(fields.get('uris') ?? '').map((uri) => ({ uri, suites, components, signedBy }));
  });
}

/** Stanzas by lower-case field name; continuation lines are joined by line ends. */
function stanzasOf(text: string): readonly ReadonlyMap<string, string>[] {
  const stanzas: Map<string, string>[] = [];
  for (const part of text.replace(/^#.*\n?/gm, '').split(/\n[ \t]*\n/)) {
    const fields = new Map<string, string>();
    let last = '';
    for (const line of part.split('\n')) {
      const [, name, value = ''] = /^([!-9;-~]+):[ \t]*(.*)$/.exec(line) ?? [];
      if (name !== undefined) fields.set((last = name.toLowerCase()), value.trim());
      else if (/^[ \t]/.test(line) && last !== '') fields.set(last, `${fields.get(last) ?? ''}\n${line.trim()}`);
    }
    if (fields.size > 0) stanzas.push(fields);
  }
  return stanzas;
}

function keyringPath(value: string | undefined): string | undefined {
  return value?.startsWith('/') === true ? value : undefined;
}

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
