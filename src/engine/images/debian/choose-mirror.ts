import { StatusError } from '#base/errors.ts';
import type { AptSource } from '#formats/apt-sources.ts';

export interface DebianMirror {
  readonly suite: string;
  readonly uri: string;
  readonly updates: boolean;
  /** Undefined for suites that have no security archive of their own. */
  readonly securityUri: string | undefined;
  /** Path of a keyring, when the machine's configuration names one. */
  readonly keyring: string | undefined;
}

/** Suites without updates and security archives. */
const rollingSuites: readonly string[] = ['sid', 'unstable', 'experimental'];
const suitePattern = /^[a-z][a-z0-9-]*$/;

/**
 * Where to get a Debian suite from: the `mirror` asked for, else the machine's own source of that suite, else its source
 * of the suite that it runs itself (`ownSuite`). Throws InvalidArgument when there is none, or the suite is no name.
 */
export function chooseMirror(
  sources: readonly AptSource[],
  suite: string,
  mirror: string | undefined,
  ownSuite: string | undefined,
): DebianMirror {
  if (!suitePattern.test(suite)) {
    throw new StatusError(
      'InvalidArgument',
      `Cannot bootstrap Debian "${suite}": that is no suite; say bookworm or trixie`,
    );
  }
  const usable = sources.filter(({ components }) => components.includes('main'));
  const holding = (wanted: string): AptSource | undefined => usable.find(({ suites }) => suites.includes(wanted));
  const source = holding(suite) ?? (ownSuite === undefined ? undefined : holding(ownSuite));
  const uri = checkUri(mirror ?? source?.uri, suite);
  const rolling = rollingSuites.includes(suite);
  const security =
    mirror === undefined
      ? (holding(`${suite}-security`) ?? (ownSuite === undefined ? undefined : holding(`${ownSuite}-security`)))?.uri
      : undefined;
  return {
    suite,
    uri,
    updates: !rolling,
    securityUri: rolling ? undefined : (security?.replace(/\/+$/, '') ?? besideMain(uri)),
    keyring: source?.signedBy,
  };
}

/** apt's sources for the image itself, in deb822 style. */
export function formatSources(mirror: DebianMirror, keyring: string): string {
  const stanza = (uri: string, suites: readonly string[]): string =>
    ['Types: deb', `URIs: ${uri}`, `Suites: ${suites.join(' ')}`, 'Components: main', `Signed-By: ${keyring}`, ''].join(
      '\n',
    );
  const suites = [mirror.suite, ...(mirror.updates ? [`${mirror.suite}-updates`] : [])];
  const main = stanza(mirror.uri, suites);
  if (mirror.securityUri === undefined) return main;
  return `${main}\n${stanza(mirror.securityUri, [`${mirror.suite}-security`])}`;
}

function checkUri(uri: string | undefined, suite: string): string {
  if (uri === undefined) {
    const text = 'this machine has no Debian mirror in its apt sources; name a mirror';
    throw new StatusError('InvalidArgument', `Cannot bootstrap Debian "${suite}": ${text}`);
  }
  if (URL.canParse(uri) && /^https?:\/\/[^\s'"]+$/.test(uri)) return uri.replace(/\/+$/, '');
  throw new StatusError('InvalidArgument', `Cannot bootstrap Debian "${suite}": "${uri}" is no http or https address`);
}

/** Mirrors that carry the security archive have it beside the main one. */
function besideMain(uri: string): string {
  return `${uri.replace(/\/debian$/, '')}/debian-security`;
}
