import { StatusError } from '#base/errors.ts';
import type { RegistryAuth } from '#engine/images/images.ts';

import type { Decoded } from '../http/decode.ts';
import { decodeJson, mapOf, objectOf, text } from '../http/decode.ts';

/** Docker's AuthConfig. */
export const authConfig = objectOf({
  username: text,
  password: text,
  auth: text,
  email: text,
  serveraddress: text,
  identitytoken: text,
  registrytoken: text,
});

/** The credentials in an `X-Registry-Auth` header (base64url of JSON); undefined when it has none. */
export function registryAuth(header: string): RegistryAuth | undefined {
  if (header === '') return undefined;
  return toRegistryAuth(decodeHeader('X-Registry-Auth', header, authConfig));
}

/** The credentials in an `X-Registry-Config` header, looked up by registry. */
export function registryConfig(header: string): (registry: string) => RegistryAuth | undefined {
  if (header === '') return () => undefined;
  const configs = decodeHeader('X-Registry-Config', header, mapOf(authConfig));
  const byRegistry = new Map(Object.entries(configs).map(([name, config]) => [registryName(name), config]));
  return (registry) => {
    const config = byRegistry.get(registryName(registry));
    return config === undefined ? undefined : toRegistryAuth(config);
  };
}

/** The registry that an address such as `https://index.docker.io/v1/` means: `docker.io`. */
export function registryName(address: string): string {
  const host = address.replace(/^https?:\/\//, '').split('/', 1)[0] ?? '';
  return host === '' || host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
}

export function toRegistryAuth(config: Decoded<typeof authConfig>): RegistryAuth | undefined {
  const [basicName, ...basicPassword] = Buffer.from(config.auth ?? '', 'base64')
    .toString('utf8')
    .split(':');
  const username = config.username || basicName;
  const password = config.password || basicPassword.join(':');
  const auth = {
    ...(username !== undefined && username !== '' && { username, password }),
    ...((config.identitytoken ?? '') !== '' && { identityToken: config.identitytoken }),
    ...((config.registrytoken ?? '') !== '' && { registryToken: config.registrytoken }),
  };
  return Object.keys(auth).length === 0 ? undefined : auth;
}

function decodeHeader<T>(name: string, header: string, decoder: (value: unknown, path: string) => T): T {
  try {
    return decodeJson(Buffer.from(header, 'base64url'), decoder);
  } catch (error) {
    throw new StatusError('InvalidArgument', `invalid ${name} header: want base64url of a JSON object`, {
      cause: error,
    });
  }
}
