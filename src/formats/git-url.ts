import { posix } from 'node:path';

import { StatusError } from '#base/errors.ts';

/** A place in a git repository, as ADD, build contexts and clients write it. */
export interface GitUrl {
  /** For git: without credentials and without what follows `#` or `?`. */
  readonly remote: string;
  /** `user:password` of an http or https address; '' when it has none. */
  readonly credentials: string;
  /** A branch, tag, `refs/...` or whole commit; '' for the repository's own default. */
  readonly ref: string;
  /** Relative, without `..`; '' for the whole tree. */
  readonly subdir: string;
  /** What the commit has to begin with; '' for whatever it is. */
  readonly commit: string;
  /** undefined: not said. */
  readonly keepGitDir: boolean | undefined;
  readonly submodules: boolean;
}

/** user@host:path, without a scheme. */
const scpPattern = /^\w[\w.-]*@\w[\w.-]*:(?!\/\/)/;

/**
 * Whether an address means a git repository rather than a file: `git://`, `ssh://`, `git@host:path`, and `http(s)://`
 * with a path that ends in `.git` (Dockerfile reference, "Adding files from a Git repository").
 */
export function isGitUrl(text: string): boolean {
  return /^(git|ssh):\/\//i.test(text) || scpPattern.test(text) || /^https?:\/\/[^?#]+\.git([?#].*)?$/i.test(text);
}

/**
 * Takes a git address apart: `<remote>#<ref>:<folder>`, or `<remote>?ref=&branch=&tag=&subdir=&checksum=` as BuildKit
 * has it. Throws InvalidArgument.
 */
export function parseGitUrl(text: string): GitUrl {
  const hash = text.indexOf('#');
  const address = hash === -1 ? text : text.slice(0, hash);
  const fragment = hash === -1 ? '' : text.slice(hash + 1);
  const mark = address.indexOf('?');
  const query = new URLSearchParams(mark === -1 ? '' : address.slice(mark + 1));
  if (fragment !== '' && query.size > 0)
    throw invalid(text, 'it has both "#" and "?"; say the reference and the folder in one of them');
  const { remote, credentials } = remoteOf(text, mark === -1 ? address : address.slice(0, mark));
  const colon = fragment.indexOf(':');
  const [ref, subdir] = colon === -1 ? [fragment, ''] : [fragment.slice(0, colon), fragment.slice(colon + 1)];
  const asked = readQuery(text, query);
  return {
    ...asked,
    remote,
    credentials,
    ref: checkedRef(text, ref === '' ? asked.ref : ref),
    subdir: relative(text, subdir === '' ? asked.subdir : subdir),
  };
}

/** An address for messages and histories: credentials are hidden. */
export function withoutCredentials(address: string): string {
  return address.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@\s]*:[^/@\s]*@/i, '$1xxxxx:xxxxx@');
}

function remoteOf(text: string, address: string): Pick<GitUrl, 'remote' | 'credentials'> {
  if (scpPattern.test(address)) return { remote: address, credentials: '' };
  if (!URL.canParse(address)) throw invalid(text, 'it is no URL');
  const url = new URL(address);
  if (!['http:', 'https:'].includes(url.protocol)) return { remote: address, credentials: '' };
  const { username, password } = url;
  url.username = '';
  url.password = '';
  const credentials = username + password === '' ? '' : `${decoded(username)}:${decoded(password)}`;
  return { remote: url.href, credentials };
}

const queryKeys = ['ref', 'branch', 'tag', 'subdir', 'checksum', 'commit', 'keep-git-dir', 'submodules'];

function readQuery(
  text: string,
  query: URLSearchParams,
): Pick<GitUrl, 'ref' | 'subdir' | 'commit' | 'keepGitDir' | 'submodules'> {
  for (const key of query.keys())
    if (!queryKeys.includes(key)) throw invalid(text, `unexpected query ${JSON.stringify(key)}`);
  const given = (key: string): string => query.get(key) ?? '';
  const refs = [given('ref'), prefixed('refs/heads/', given('branch')), prefixed('refs/tags/', given('tag'))];
  const named = refs.filter((ref) => ref !== '');
  if (named.length > 1) throw invalid(text, 'only one of ref, branch and tag can be given');
  const commit = given('checksum') === '' ? given('commit') : given('checksum');
  const keep = query.get('keep-git-dir');
  return {
    ref: named[0] ?? '',
    subdir: given('subdir'),
    commit: commit === '' ? '' : checkedCommit(commit),
    keepGitDir: keep === null ? undefined : flag(text, 'keep-git-dir', keep),
    submodules: flag(text, 'submodules', query.get('submodules') ?? 'true'),
  };
}

/** A commit's digits, whole or at least the first seven, as `--checksum` takes them. */
export function checkedCommit(text: string): string {
  if (/^[0-9a-f]{7,64}$/.test(text)) return text;
  throw new StatusError('InvalidArgument', `invalid checksum ${text}: it must be a commit's hexadecimal digits`);
}

function prefixed(prefix: string, name: string): string {
  return name === '' ? '' : prefix + name;
}

function flag(text: string, key: string, value: string): boolean {
  if (/^(|1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw invalid(text, `${key} is neither true nor false`);
}

/** Never an option of git's, and nothing that git itself would refuse (git-check-ref-format(1)). */
function checkedRef(text: string, ref: string): string {
  // oxlint-disable-next-line no-control-regex
  if (!/^-|\.\.|[\0-\x20~^:?*[\\\x7f]/.test(ref)) return ref;
  throw invalid(text, `${JSON.stringify(ref)} is no name of a branch, tag or commit`);
}

function relative(text: string, folder: string): string {
  const path = posix.normalize(`/${folder}`).slice(1).replace(/\/$/, '');
  if (folder.split('/').includes('..')) throw invalid(text, 'its folder leads out of the repository');
  return path;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function invalid(text: string, why: string): StatusError {
  return new StatusError('InvalidArgument', `invalid git URL ${JSON.stringify(withoutCredentials(text))}: ${why}`);
}
