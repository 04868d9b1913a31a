import { reasonOf, StatusError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import { parseJson } from '#formats/oci-json.ts';
import { defaultDomain } from '#formats/reference.ts';
import type { FoundRepository } from '../images.ts';
import { readBody } from './read-body.ts';
import { RegistryRefusal } from './registry-error.ts';
import type { RegistrySession } from './registry-session.ts';

/** Where the default registry searches: not where it serves images. */
const defaultSearchRoot = 'https://index.docker.io';
const bodyBytesMost = 4 * 1024 * 1024;
/** Pages of a catalog that are looked through, and names of each: more than 1000 are refused by some. */
const pagesMost = 10;
const pageNames = 1000;

/**
 * Repositories of a registry that have to do with a term: what its search finds (Docker's interface of old,
 * `/v1/search`), or the names of its catalog that hold the term. Throws NotSupported for a registry with neither.
 */
export async function searchRegistry(
  session: RegistrySession,
  term: string,
  limit: number,
  signal: AbortSignal,
): Promise<readonly FoundRepository[]> {
  const query = new URLSearchParams({ q: term, n: String(limit) }).toString();
  const path = `/v1/search?${query}`;
  const found = await ask(
    session,
    session.domain === defaultDomain ? new URL(path, defaultSearchRoot) : path,
    [],
    signal,
  );
  const results: unknown = found?.['results'];
  if (Array.isArray(results)) return results.filter(isObject).slice(0, limit).map(readResult);
  const names = await readCatalog(session, signal);
  if (names === undefined) {
    throw new StatusError('NotSupported', `Cannot search ${session.domain}: it has neither a search nor a catalog`);
  }
  const fitting = names.filter((name) => name.includes(term)).slice(0, limit);
  return fitting.map((name) => readResult({ name }));
}

async function readCatalog(session: RegistrySession, signal: AbortSignal): Promise<readonly string[] | undefined> {
  const names: string[] = [];
  for (let page = 1; page <= pagesMost; page += 1) {
    const last = names.at(-1);
    const query = new URLSearchParams({ n: String(pageNames), ...(last === undefined ? {} : { last }) }).toString();
    const found = (await ask(session, `/v2/_catalog?${query}`, ['registry:catalog:*'], signal))?.['repositories'];
    if (!Array.isArray(found)) return page === 1 ? undefined : names;
    names.push(...found.filter((name): name is string => typeof name === 'string'));
    if (found.length < pageNames) break;
  }
  return names;
}

/** The object that a registry answers; undefined when it does not have the address. */
async function ask(
  session: RegistrySession,
  target: string | URL,
  scopes: readonly string[],
  signal: AbortSignal,
): Promise<Record<string, unknown> | undefined> {
  try {
    const response = await session.request({ method: 'GET', target, scopes, expected: [200] }, signal);
    return parseJson(await readBody(response, bodyBytesMost, 'what the registry found'), 'what the registry found');
  } catch (error) {
    if (error instanceof RegistryRefusal && error.refusal.status === 401) {
      throw new StatusError('Unauthorized', `Cannot search ${session.domain}: log in first`, { cause: error });
    }
    // Web servers answer what they do not know with a page.
    if (error instanceof RegistryRefusal || reasonOf(error) === 'Damaged') return undefined;
    throw error;
  }
}

function readResult(value: Record<string, unknown>): FoundRepository {
  const { name, description, star_count: stars, is_official: isOfficial, is_automated: isAutomated } = value;
  return {
    name: typeof name === 'string' ? name : '',
    description: typeof description === 'string' ? description : '',
    stars: typeof stars === 'number' ? stars : 0,
    isOfficial: isOfficial === true,
    isAutomated: isAutomated === true,
  };
}
