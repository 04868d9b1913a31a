import { absolutePath, type SettingType } from '../setting.ts';

/** A cluster of etcd as its URL says it. */
export interface EtcdAddress {
  readonly scheme: 'etcd' | 'http' | 'https';
  /** `host:port` of the members. */
  readonly members: readonly string[];
  /** Before all keys; empty: none. */
  readonly prefix: string;
}

/** Reads `etcd://one:2379,two:2379/prefix`, `https://one:2379,https://two:2379`; undefined: it is no such URL. */
export function parseStoreUrl(text: string): EtcdAddress | undefined {
  const [start = '', scheme] = /^(etcd|https?):\/\//.exec(text) ?? [];
  if (scheme !== 'etcd' && scheme !== 'http' && scheme !== 'https') return undefined;
  const parts = text.split(',').map((part) => part.trim());
  const members: string[] = [];
  let prefix = '';
  for (const [index, part] of parts.entries()) {
    const bare = part.startsWith(start) ? part.slice(start.length) : part;
    // The default port of another scheme would be left out.
    const url = URL.parse(`etcd://${bare}`);
    if (url === null || url.port === '' || url.username !== '' || url.search !== '' || url.hash !== '')
      return undefined;
    if (url.pathname.length > 1 && index < parts.length - 1) return undefined;
    members.push(url.host);
    prefix = url.pathname.replace(/\/$/, '');
  }
  return { scheme, members, prefix };
}

const storeUrl: SettingType<string> = {
  name: "the URL of an etcd cluster with each member's port, such as etcd://one:2379,two:2379/prefix or https://one:2379",
  parse: (value) =>
    typeof value === 'string' && (value === '' || parseStoreUrl(value) !== undefined) ? value : undefined,
  fromText: (text) => text,
};

export const storeSettings = {
  url: {
    type: storeUrl,
    summary:
      'the etcd cluster that keeps what the Kubernetes API knows, for several daemons that have one folder pki in common; ' +
      'etcd:// speaks TLS when caPath or certificatePath is set, https:// always',
    default: '',
    defaultText: 'none: a SQLite database of its own',
  },
  caPath: {
    type: absolutePath,
    summary: 'the authority of the certificates of etcd, PEM',
    default: '',
    defaultText: 'those that Node.js knows',
  },
  certificatePath: {
    type: absolutePath,
    summary: 'the certificate that etcd is shown, PEM',
    default: '',
    defaultText: 'none',
  },
  keyPath: {
    type: absolutePath,
    summary: 'the key of that certificate, PEM',
    default: '',
    defaultText: 'none',
  },
} as const;
