import { parsePrefix } from '#formats/ip-prefix.ts';
import { isObject } from '#base/json.ts';
import { parseAddress } from '#formats/ip-address.ts';
import { parseByteSize } from '#formats/byte-size.ts';

/** How a setting's value looks, in YAML and as one text in a flag or the environment. */
export interface SettingType<T> {
  /** For messages and docs, such as `a whole number from 1 to 65535`. */
  readonly name: string;
  /** Undefined when the value is none of this type. */
  parse(value: unknown): T | undefined;
  fromText(text: string): unknown;
}

export interface Setting<T> {
  readonly type: SettingType<T>;
  readonly summary: string;
  readonly default: T;
  /** What the default means, where the value does not say it: `found on PATH`. */
  readonly defaultText?: string;
}

/** The settings of one plane, by name. */
export type Section = Readonly<Record<string, Setting<unknown>>>;

export type ValuesOf<S extends Section> = {
  readonly [Name in keyof S]: S[Name] extends Setting<infer T> ? T : never;
};

export const absolutePath: SettingType<string> = {
  name: 'an absolute path',
  parse: (value) => (typeof value === 'string' && value.startsWith('/') ? value : undefined),
  fromText: (text) => text,
};

export function choice<T extends string>(...values: readonly T[]): SettingType<T> {
  return {
    name: `one of ${values.join(', ')}`,
    parse: (value) => values.find((one) => one === value),
    fromText: (text) => text,
  };
}

/** Written as a YAML list, or with commas between in one text. */
export function listOf<T>(type: SettingType<T>, name: string): SettingType<readonly T[]> {
  return {
    name,
    parse: (value) => {
      if (!Array.isArray(value)) return undefined;
      const items = value.map((item) => type.parse(item));
      return items.every((item) => item !== undefined) ? items : undefined;
    },
    fromText: (text) => (text === '' ? [] : text.split(',').map((item) => type.fromText(item.trim()))),
  };
}

/** A YAML mapping of texts, `name=value` with commas between in one text. */
export const textMap: SettingType<Readonly<Record<string, string>>> = {
  name: 'a mapping of names to texts, in text name=value with commas between',
  parse: (value) => {
    if (!isObject(value)) return undefined;
    const entries = Object.entries(value).map(([name, item]) => [name, plainText(item)] as const);
    if (entries.some(([, item]) => item === undefined)) return undefined;
    return Object.fromEntries(entries) as Record<string, string>;
  },
  fromText: (text) =>
    Object.fromEntries(
      text
        .split(',')
        .filter((pair) => pair.trim() !== '')
        .map((pair) => pair.trim().split(/=(.*)/s).slice(0, 2)),
    ),
};

/** YAML reads `3` and `true` as what they look like; they mean their text here. */
function plainText(value: unknown): string | undefined {
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
}
/** A part of the disk: bytes, or a percentage of all of it. */
export type DiskShare = { readonly bytes: number } | { readonly percent: number };

/** `20g` or `10%`. */
export const diskShare: SettingType<DiskShare> = {
  name: 'a size such as 20g, or a percentage of the disk such as 10%',
  parse: (value) => {
    if (typeof value !== 'string') return undefined;
    const [, percent] = /^(\d{1,3}(?:\.\d+)?)%$/.exec(value) ?? [];
    if (percent !== undefined) return Number(percent) <= 100 ? { percent: Number(percent) } : undefined;
    const bytes = parseByteSize(value);
    return bytes === undefined ? undefined : { bytes };
  },
  fromText: (text) => text,
};

/** A number of hours, or `never`. */
export const hoursOrNever: SettingType<number | 'never'> = {
  name: 'a number of hours, or never',
  parse: (value) => (value === 'never' || (typeof value === 'number' && value >= 0) ? value : undefined),
  fromText: (text) => (text === 'never' ? text : toNumber(text)),
};

const mostMinutes = 7 * 24 * 60;

export const minutes: SettingType<number> = {
  name: `a number of minutes from 1 to ${String(mostMinutes)}`,
  parse: (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= mostMinutes ? value : undefined,
  fromText: toNumber,
};

export const yesOrNo: SettingType<boolean> = {
  name: 'true or false',
  parse: (value) => (typeof value === 'boolean' ? value : undefined),
  fromText: (text) => ({ true: true, false: false })[text] ?? text,
};

/** An IP address of this machine, or '' for all. */
export const hostAddress: SettingType<string> = {
  name: 'an IP address of this machine',
  parse: (value) =>
    typeof value === 'string' && (value === '' || parseAddress(value) !== undefined) ? value : undefined,
  fromText: (text) => text,
};

/** As dockerd takes it for `--userns-remap`. */
export const remappedUser: SettingType<string> = {
  name: 'default, or USER[:GROUP] by name or number',
  parse: (value) => (typeof value === 'string' && /^[\w.-]*(?::[\w.-]+)?$/.test(value) ? value : undefined),
  fromText: (text) => text,
};

/** A DNS subdomain (RFC 1123), or ''. */
export const nodeName: SettingType<string> = {
  name: 'a name of lower-case letters, digits, dashes and dots',
  parse: (value) =>
    typeof value === 'string' && /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)?$/.test(value) ? value : undefined,
  fromText: (text) => text,
};

/** An IPv4 subnet, or ''. */
export const subnet: SettingType<string> = {
  name: 'an IPv4 subnet address/length',
  parse: (value) => {
    if (typeof value !== 'string') return undefined;
    const [, address = '', length = ''] = /^(\d+\.\d+\.\d+\.\d+)\/(\d{1,2})$/.exec(value) ?? [];
    const isSubnet = parseAddress(address) !== undefined && Number(length) >= 8 && Number(length) <= 30;
    return value === '' || isSubnet ? value : undefined;
  },
  fromText: (text) => text,
};

/** `host:port` to listen on, with brackets around IPv6; '' for nowhere. */
export const listenAddress: SettingType<string> = {
  name: 'an address host:port to listen on',
  parse: (value) => {
    if (typeof value !== 'string') return undefined;
    const [, port = ''] = /^(?:\[[0-9a-fA-F:]+\]|[a-zA-Z0-9.-]+):(\d{1,5})$/.exec(value) ?? [];
    return value === '' || (port !== '' && Number(port) <= 65_535) ? value : undefined;
  },
  fromText: (text) => text,
};

/** `host[:port]` of a registry. */
export const registryHost: SettingType<string> = {
  name: 'a registry as host[:port]',
  parse: (value) => (typeof value === 'string' && /^[a-zA-Z0-9.[\]:-]+$/.test(value) ? value : undefined),
  fromText: (text) => text,
};

/** The address of a proxy, which may have a name and a password. */
export const proxyUrl: SettingType<string> = {
  name: 'the URL of a proxy, such as http://proxy.example:3128',
  parse: (value) => (typeof value === 'string' && /^https?:\/\/[^\s/]+\/?$/.test(value) ? value : undefined),
  fromText: (text) => text,
};

/** NO_PROXY's own form: names, addresses, networks. */
export const hostList: SettingType<string> = {
  name: 'hosts with commas between, such as localhost,.example.com,10.0.0.0/8',
  parse: (value) => (typeof value === 'string' && /^[\w.:*/[\], -]+$/.test(value) ? value : undefined),
  fromText: (text) => text,
};

/** `{ base: address/len, size: n }` in YAML, `address/len:n` in a text; IPv4 or IPv6. */
export const addressPool: SettingType<{ readonly base: string; readonly size: number }> = {
  name: 'an address pool { base: address/len, size: len of its subnets }',
  parse: (value) => {
    if (!isObject(value) || Object.keys(value).some((key) => key !== 'base' && key !== 'size')) return undefined;
    const { base, size } = value;
    if (typeof base !== 'string' || typeof size !== 'number' || !Number.isInteger(size)) return undefined;
    const prefix = parsePrefix(base);
    if (prefix === undefined) return undefined;
    // Two addresses at least are left for containers.
    const longest = prefix.address.family === 4 ? 30 : 126;
    return size >= prefix.length && size <= longest ? { base, size } : undefined;
  },
  fromText: (text) => {
    const [, base = text, size = ''] = /^(.*):(\d+)$/.exec(text) ?? [];
    return { base, size: Number(size) };
  },
};

const mirrorKey = /^(?:\*|(?:\*\.)?[a-zA-Z0-9.[\]:-]+)$/;

/** `{ registry: [address, ...] }` in YAML; `registry=address|address` with commas between in one text. */
export const mirrorTable: SettingType<Readonly<Record<string, readonly string[]>>> = {
  name: 'a table of registries (host[:port], *.domain or *) and lists of http(s) addresses without credentials',
  parse: (value) => {
    if (!isObject(value)) return undefined;
    const rows = Object.entries(value);
    const isRow = ([key, addresses]: readonly [string, unknown]): boolean =>
      mirrorKey.test(key) && Array.isArray(addresses) && addresses.every(isMirrorAddress);
    return rows.every(isRow) ? (Object.fromEntries(rows) as Record<string, readonly string[]>) : undefined;
  },
  fromText: (text) => {
    const rows = text === '' ? [] : text.split(',').map((row) => row.trim().split('='));
    return Object.fromEntries(rows.map(([key = '', addresses = '']) => [key, addresses.split('|')]));
  },
};

function isMirrorAddress(text: unknown): boolean {
  if (typeof text !== 'string' || !URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return ['http:', 'https:'].includes(protocol) && [username, password, search, hash].every((part) => part === '');
}

const sizeUnits: Readonly<Record<string, number>> = {
  '': 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

/** A number of bytes, or text such as `4GiB`. */
export const byteSize: SettingType<number> = {
  name: 'a size in bytes, such as 4GiB',
  parse: (value) => {
    const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([KMGT]iB)?$/.exec(String(value)) ?? [];
    const bytes = Math.round(Number(digits) * (sizeUnits[unit] ?? 1));
    return digits !== '' && Number.isSafeInteger(bytes) ? bytes : undefined;
  },
  fromText: (text) => text,
};

function toNumber(text: string): unknown {
  return /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : text;
}
