import { StatusError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';

import type { ApiTarget, Credentials } from './api-target.ts';

export interface KubeconfigOptions {
  /** Undefined: the current one. */
  readonly context?: string;
  /** Reads a file that the kubeconfig names, relative to its own folder. */
  readonly readFile: (path: string) => string;
}

type Entry = Readonly<Record<string, unknown>>;

/** What asks a program, a browser or a password for credentials, and what we do not have. */
const refusedOfUser: Readonly<Record<string, string>> = {
  exec: 'it starts a program to get credentials, which Slipway does not do; put a client certificate or a token there',
  'auth-provider': 'auth providers are not supported; put a client certificate or a token there',
  username: 'Kubernetes has no passwords any more; put a client certificate or a token there',
  password: 'Kubernetes has no passwords any more; put a client certificate or a token there',
  as: 'impersonation is not supported; put the credentials of that user there',
};

/**
 * Where a kubeconfig (client.config.k8s.io v1, parsed) leads. Throws InvalidArgument for what is missing or wrong, and
 * NotSupported for exec plugins and other ways to credentials.
 */
export function readKubeconfig(config: unknown, options: KubeconfigOptions): ApiTarget {
  if (!isObject(config)) throw wrong('it is empty');
  const current = options.context ?? textOf(config, 'current-context');
  if (current === '') throw wrong('it has no current-context; name a context');
  const context = named(config, 'contexts', 'context', current);
  const cluster = named(config, 'clusters', 'cluster', textOf(context, 'cluster'));
  const userName = textOf(context, 'user');
  const user = userName === '' ? {} : named(config, 'users', 'user', userName);
  if (cluster['proxy-url'] !== undefined) throw unsupported('proxy-url', 'proxies are not supported');
  for (const [field, why] of Object.entries(refusedOfUser))
    if (user[field] !== undefined && user[field] !== null) throw unsupported(`user "${userName}" has ${field}`, why);
  return {
    origin: originOf(textOf(cluster, 'server')),
    authoritiesPem: pemOf(cluster, 'certificate-authority', options),
    serverName: textOf(cluster, 'tls-server-name') || undefined,
    isInsecure: cluster['insecure-skip-tls-verify'] === true,
    credentials: credentialsOf(user, options),
    namespace: textOf(context, 'namespace') || 'default',
  };
}

function credentialsOf(user: Entry, options: KubeconfigOptions): Credentials {
  const certificatePem = pemOf(user, 'client-certificate', options);
  const keyPem = pemOf(user, 'client-key', options);
  if ((certificatePem === undefined) !== (keyPem === undefined))
    throw wrong('client-certificate and client-key go together; one of them is missing');
  const token = textOf(user, 'token');
  const tokenFile = textOf(user, 'tokenFile');
  return {
    ...(certificatePem === undefined || keyPem === undefined ? {} : { certificatePem, keyPem }),
    ...(token === '' ? {} : { token: () => token }),
    ...(token === '' && tokenFile !== '' ? { token: () => options.readFile(tokenFile).trim() } : {}),
  };
}

/** PEM from the field with `-data` (base64), or from the file that the field names. */
function pemOf(entry: Entry, field: string, { readFile }: KubeconfigOptions): string | undefined {
  const data = textOf(entry, `${field}-data`);
  if (data !== '') {
    const pem = Buffer.from(data, 'base64').toString('utf8');
    if (!pem.includes('-----BEGIN ')) throw wrong(`${field}-data is not PEM in base64`);
    return pem;
  }
  const path = textOf(entry, field);
  return path === '' ? undefined : readFile(path);
}

function originOf(server: string): string {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url === undefined) throw wrong(`server ${JSON.stringify(server)} is no URL`);
  if (url.protocol !== 'https:') throw unsupported(`server ${server}`, 'only https is supported');
  if (url.pathname !== '/') throw unsupported(`server ${server}`, 'servers below a path are not supported');
  return url.origin;
}

function named(config: Entry, list: string, field: string, name: string): Entry {
  const rows: unknown = config[list];
  const row = Array.isArray(rows) ? rows.find((one) => isObject(one) && one['name'] === name) : undefined;
  const value: unknown = isObject(row) ? row[field] : undefined;
  if (!isObject(value)) throw wrong(`there is no ${field} "${name}" in ${list}`);
  return value;
}

function textOf(entry: Entry, field: string): string {
  const value = entry[field];
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw wrong(`${field} is no text`);
  return value;
}

function wrong(why: string): StatusError {
  return new StatusError('InvalidArgument', `Cannot use the kubeconfig: ${why}`);
}

function unsupported(what: string, why: string): StatusError {
  return new StatusError('NotSupported', `Cannot use the kubeconfig: ${what}: ${why}`);
}
