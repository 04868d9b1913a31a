import { isObject } from '#base/json.ts';
import type { RegistryAuth } from '#engine/images/images.ts';
import type { Reference } from '#formats/reference.ts';
import type { Pod, Secret } from '#kube/types/gen/core-v1.ts';

import type { PodTools } from './pod-tools.ts';

/** Names under which files of Docker's client keep what is for its own registry. */
const dockerHub: readonly string[] = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];

/** What a pod's imagePullSecrets say for the registry of an image; secrets that are missing or broken say nothing. */
export async function pullAuth(
  { metadata, spec }: Pod,
  reference: Reference,
  { sources }: Pick<PodTools, 'sources'>,
  signal: AbortSignal,
): Promise<RegistryAuth | undefined> {
  for (const { name = '' } of spec?.imagePullSecrets ?? []) {
    const secret = await sources.secret(metadata.namespace ?? '', name, signal);
    const auth = secret === undefined ? undefined : authOf(secret, reference);
    if (auth !== undefined) return auth;
  }
  return undefined;
}

function authOf({ data }: Secret, reference: Reference): RegistryAuth | undefined {
  const auths = authsOf(data?.['.dockerconfigjson'], true) ?? authsOf(data?.['.dockercfg'], false) ?? {};
  const wanted = dockerHub.includes(reference.domain) ? dockerHub : [reference.domain];
  const name = `${reference.domain}/${reference.path}`;
  // The longest that the image's name begins with is the most exact.
  const fitting = Object.entries(auths)
    .map(([key, value]) => [key.replace(/^https?:\/\//, '').replace(/\/(v1\/|v2\/)?$/, ''), value] as const)
    .filter(([key]) => wanted.includes(key) || name === key || name.startsWith(`${key}/`))
    .sort(([one], [other]) => other.length - one.length);
  const found = fitting[0]?.[1];
  return isObject(found) ? readAuth(found) : undefined;
}

function authsOf(base64: string | undefined, isNested: boolean): Record<string, unknown> | undefined {
  if (base64 === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(base64, 'base64').toString());
    const auths = isNested && isObject(parsed) ? parsed['auths'] : parsed;
    return isObject(auths) ? auths : undefined;
  } catch {
    return undefined;
  }
}

function readAuth(entry: Record<string, unknown>): RegistryAuth | undefined {
  const { username, password, auth, identitytoken } = entry;
  if (typeof identitytoken === 'string' && identitytoken !== '') return { identityToken: identitytoken };
  if (typeof username === 'string' && typeof password === 'string') return { username, password };
  if (typeof auth !== 'string') return undefined;
  const [name = '', ...rest] = Buffer.from(auth, 'base64').toString().split(':');
  return { username: name, password: rest.join(':') };
}
