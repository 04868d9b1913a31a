import { isObject } from '#base/json.ts';
import { badRequest } from '#kube/status.ts';

/** Where the next page of a list begins. */
export interface ContinueToken {
  /** Of the first page; undefined: the list goes on with what is there now. */
  readonly revision: bigint | undefined;
  /** The last key of the page before, without the resource's prefix. */
  readonly after: string;
}

/** Opaque to clients; in the form that upstream's has (storage/continue.go). */
export function continueTokenText({ revision, after }: ContinueToken): string {
  const rv = revision === undefined ? -1 : Number(revision);
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv, start: `${after}\0` })).toString('base64url');
}

/** Throws BadRequest for what is no token of ours. */
export function parseContinueToken(text: string): ContinueToken {
  const value = parse(Buffer.from(text, 'base64url').toString());
  const { v, rv, start } = isObject(value) ? value : {};
  const isOurs = v === 'meta.k8s.io/v1' && typeof start === 'string' && start.endsWith('\0') && !start.startsWith('/');
  if (!isOurs || !Number.isSafeInteger(rv) || rv === 0 || start.slice(0, -1).includes('\0'))
    throw badRequest('continue key is not valid: encoded token is not of this server or was changed');
  const revision = Number(rv);
  return { revision: revision < 0 ? undefined : BigInt(revision), after: start.slice(0, -1) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
