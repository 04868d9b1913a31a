/** Rules for names (apimachinery, util/validation). Each function returns what is wrong in upstream's words; none: nothing. */
export type NameRule = (name: string) => readonly string[];

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;
const dns1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const qualified = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const labelValue = `(${qualified})?`;
const wildcard = `\\*\\.${subdomain}`;
const configKey = '[-._a-zA-Z0-9]+';
const headerName = '[-A-Za-z0-9]+';

const endsAlphanumeric = 'and must start and end with an alphanumeric character';

export function labelFaults(name: string): readonly string[] {
  if (matches(label, name)) return lengthFaults(name, 63);
  if (matches(subdomain, name)) return [...lengthFaults(name, 63), 'must not contain dots'];
  const rule = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', ${endsAlphanumeric}`;
  return [...lengthFaults(name, 63), regexFault(rule, label, 'my-name', '123-abc')];
}

export function subdomainFaults(name: string): readonly string[] {
  if (matches(subdomain, name)) return lengthFaults(name, 253);
  const rule = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', ${endsAlphanumeric}`;
  return [...lengthFaults(name, 253), regexFault(rule, subdomain, 'example.com')];
}

/** Names of services until relaxed, of volumes' ports and others: must begin with a letter. */
export function dns1035Faults(name: string): readonly string[] {
  if (matches(dns1035, name)) return lengthFaults(name, 63);
  const rule =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
  return [...lengthFaults(name, 63), regexFault(rule, dns1035, 'my-name', 'abc-123')];
}

export function wildcardFaults(name: string): readonly string[] {
  if (matches(wildcard, name)) return lengthFaults(name, 253);
  const rule =
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
  return [...lengthFaults(name, 253), regexFault(rule, wildcard, '*.example.com')];
}

/** Keys of labels and annotations, finalizers, resource names: `example.com/name` or `name`. */
export function qualifiedNameFaults(text: string): readonly string[] {
  const parts = text.split('/');
  const rule = `must consist of alphanumeric characters, '-', '_' or '.', ${endsAlphanumeric}`;
  const wrong = (): string => regexFault(rule, qualified, 'MyName', 'my.name', '123-abc');
  if (parts.length > 2)
    return [`a qualified name ${wrong()} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  const [name = '', prefix] = parts.reverse();
  const faults: string[] = [];
  if (prefix === '') faults.push(`prefix part ${mustBeNonEmpty}`);
  else if (prefix !== undefined) faults.push(...subdomainFaults(prefix).map((fault) => `prefix part ${fault}`));
  if (name === '') faults.push(`name part ${mustBeNonEmpty}`);
  else faults.push(...lengthFaults(name, 63).map((fault) => `name part ${fault}`));
  return matches(qualified, name) ? faults : [...faults, `name part ${wrong()}`];
}

export function labelValueFaults(value: string): readonly string[] {
  if (matches(labelValue, value)) return lengthFaults(value, 63);
  const rule = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', ${endsAlphanumeric}`;
  return [...lengthFaults(value, 63), regexFault(rule, labelValue, 'MyValue', 'my_value', '12345')];
}

/** Keys of ConfigMaps and Secrets. */
export function configKeyFaults(key: string): readonly string[] {
  const rule = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
  const faults = [...lengthFaults(key, 253)];
  if (!matches(configKey, key)) faults.push(regexFault(rule, configKey, 'key.name', 'KEY_NAME', 'key-name'));
  return [...faults, ...dotFaults(key)];
}

export function headerNameFaults(name: string): readonly string[] {
  if (matches(headerName, name)) return [];
  return [
    regexFault("a valid HTTP header must consist of alphanumeric characters or '-'", headerName, 'X-Header-Name'),
  ];
}

export function environmentNameFaults(name: string): readonly string[] {
  if (name === '') return [`environment variable name ${mustBeNonEmpty}`];
  if (/^[ -<>-~]+$/.test(name)) return [];
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

/** Names in paths that are otherwise free (roles, namespaced objects of the authorization API). */
export function pathSegmentFaults(name: string): readonly string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  return ['/', '%'].filter((one) => name.includes(one)).map((one) => `may not contain '${one}'`);
}

export function portFaults(port: number): readonly string[] {
  return Number.isInteger(port) && port >= 1 && port <= 65535 ? [] : ['must be between 1 and 65535, inclusive'];
}

/** Names of ports (RFC 6335, service names). */
export function portNameFaults(name: string): readonly string[] {
  const faults = [...lengthFaults(name, 15)];
  if (!/^[-a-z0-9]+$/.test(name)) faults.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(name)) faults.push('must contain at least one letter (a-z)');
  if (name.includes('--')) faults.push('must not contain consecutive hyphens');
  if (name.startsWith('-') || name.endsWith('-')) faults.push('must not begin or end with a hyphen');
  return faults;
}

/** A name that something is put behind, such as generateName: its last character may be a hyphen or point. */
export function prefixFaults(rule: NameRule, prefix: string): readonly string[] {
  return rule(/[-.]$/.test(prefix) && prefix.length > 1 ? `${prefix.slice(0, -1)}a` : prefix);
}

function dotFaults(key: string): readonly string[] {
  if (key === '.' || key === '..') return [`must not be '${key}'`];
  return key.startsWith('..') ? ["must not start with '..'"] : [];
}

const mustBeNonEmpty = 'must be non-empty';

function lengthFaults(text: string, bytesMost: number): readonly string[] {
  // No character has more than three bytes per UTF-16 unit.
  return text.length * 3 > bytesMost && byteLength(text) > bytesMost
    ? [`must be no more than ${String(bytesMost)} characters`]
    : [];
}

/** Bytes in UTF-8. */
export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** Compiled once: names are most of what is validated. */
const forms = new Map(
  [label, subdomain, dns1035, wildcard, qualified, labelValue, configKey, headerName].map((form) => [
    form,
    new RegExp(`^(?:${form})$`),
  ]),
);

function matches(form: string, text: string): boolean {
  return forms.get(form)?.test(text) === true;
}

function regexFault(rule: string, form: string, ...examples: readonly string[]): string {
  const shown = examples.map((example) => `'${example}', `).join(' or ');
  return `${rule} (e.g. ${shown}regex used for validation is '${form}')`;
}
