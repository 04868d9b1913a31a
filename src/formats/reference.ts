import { StatusError } from '#base/errors.ts';
import { isDigest } from './oci.ts';
import type { Digest } from './oci.ts';

/** A parsed image reference, in its normalised form (distribution/reference). */
export interface Reference {
  /** `docker.io` when the text names none. */
  readonly domain: string;
  /** `library/debian`. */
  readonly path: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

/** The domain of names that have none. */
export const defaultDomain = 'docker.io';

const legacyDefaultDomain = 'index.docker.io';
const officialPrefix = 'library/';
const defaultTag = 'latest';
const pathLimit = 255;

const domainComponent = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const domainPattern = new RegExp(`^(?:${domainComponent}(?:\\.${domainComponent})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const pathComponent = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const pathPattern = new RegExp(`^${pathComponent}(?:/${pathComponent})*$`);
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const digestShape = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const identifierPattern = /^[a-f0-9]{64}$/;

/**
 * Reads a familiar or full name with optional tag and digest, such as `debian`, `localhost:5000/app:1` or
 * `debian@sha256:...`. The grammar and the rule that tells a domain from a path are those of distribution/reference.
 * Throws InvalidArgument with the words that Docker's clients know.
 */
export function parseReference(text: string): Reference {
  if (identifierPattern.test(text)) {
    throw invalid(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const at = text.indexOf('@');
  const named = at === -1 ? text : text.slice(0, at);
  const digest = at === -1 ? undefined : readDigest(text.slice(at + 1));
  const { name, tag } = splitTag(named);
  const { domain, path } = splitDomain(name);
  if (path !== path.toLowerCase() && pathPattern.test(path.toLowerCase())) {
    throw invalid(`invalid reference format: repository name (${path}) must be lowercase`);
  }
  if (!domainPattern.test(domain) || !pathPattern.test(path)) throw invalid('invalid reference format');
  if (path.length > pathLimit) {
    throw invalid(`repository name must not be more than ${String(pathLimit)} characters`);
  }
  return { domain, path, tag, digest };
}

/** The reference with the tag `latest` when it has neither tag nor digest. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: defaultTag } : reference;
}

/** The name alone with its domain: `docker.io/library/debian`. */
export function fullName(reference: Reference): string {
  return `${reference.domain}/${reference.path}`;
}

/** The name alone as people write it: `debian`, `localhost:5000/app`. */
export function familiarName(reference: Reference): string {
  if (reference.domain !== defaultDomain) return fullName(reference);
  const rest = reference.path.startsWith(officialPrefix) ? reference.path.slice(officialPrefix.length) : '';
  return rest === '' || rest.includes('/') ? reference.path : rest;
}

/** Name, tag and digest as people write them: `debian:12`, `debian@sha256:...`. */
export function familiarReference(reference: Reference): string {
  return familiarName(reference) + suffixOf(reference);
}

/** Name, tag and digest with the domain: `docker.io/library/debian:12`. */
export function fullReference(reference: Reference): string {
  return fullName(reference) + suffixOf(reference);
}

function suffixOf({ tag, digest }: Reference): string {
  return (tag === undefined ? '' : `:${tag}`) + (digest === undefined ? '' : `@${digest}`);
}

function splitTag(named: string): { readonly name: string; readonly tag: string | undefined } {
  const colon = named.lastIndexOf(':');
  if (colon === -1 || colon < named.lastIndexOf('/')) return { name: named, tag: undefined };
  const tag = named.slice(colon + 1);
  if (!tagPattern.test(tag)) throw invalid('invalid reference format');
  return { name: named.slice(0, colon), tag };
}

/** What stands before the first slash is a domain when it has a dot, a colon or a capital, or is `localhost`. */
function splitDomain(name: string): { readonly domain: string; readonly path: string } {
  const slash = name.indexOf('/');
  const first = slash === -1 ? '' : name.slice(0, slash);
  const isDomain = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  const domain = isDomain && first !== legacyDefaultDomain ? first : defaultDomain;
  const path = isDomain ? name.slice(slash + 1) : name;
  return { domain, path: domain === defaultDomain && !path.includes('/') ? officialPrefix + path : path };
}

function readDigest(text: string): Digest {
  if (isDigest(text)) return text;
  if (!digestShape.test(text)) throw invalid('invalid reference format');
  throw invalid(
    text.startsWith('sha256:') ? 'invalid checksum digest length' : 'unsupported digest algorithm; use a sha256 digest',
  );
}

function invalid(message: string): StatusError {
  return new StatusError('InvalidArgument', message);
}
