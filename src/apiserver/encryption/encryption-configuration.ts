import { createSecretKey, type KeyObject } from 'node:crypto';

import { isObject } from '#base/json.ts';
import { StatusError } from '#base/errors.ts';
import { objectsOf, textOf, textsOf } from '#kube/fields.ts';

/** A way of encrypting, with its keys; the first key encrypts, all decrypt. `identity`: as it is. */
export type Provider =
  | { readonly type: 'identity' }
  | { readonly type: 'aesgcm' | 'aescbc'; readonly keys: readonly NamedKey[] };

export interface NamedKey {
  readonly name: string;
  readonly key: KeyObject;
}

/** How the values of some kinds are stored. */
export interface EncryptedKinds {
  /** `secrets`, `deployments.apps`, `*.apps`, `*.` (the core group) and `*.*`. */
  readonly resources: readonly string[];
  /** The first one encrypts, all decrypt. */
  readonly providers: readonly Provider[];
}

const keySizes = [16, 24, 32];
const keysMost = 64;

/** Reads an EncryptionConfiguration (apiserver.config.k8s.io/v1) that was parsed from YAML. Throws InvalidArgument. */
export function parseEncryptionConfiguration(value: unknown): readonly EncryptedKinds[] {
  if (!isObject(value) || value['kind'] !== 'EncryptionConfiguration')
    throw wrong('kind', 'it is no EncryptionConfiguration; give kind and apiVersion apiserver.config.k8s.io/v1');
  if (value['apiVersion'] !== 'apiserver.config.k8s.io/v1')
    throw wrong('apiVersion', `it is ${JSON.stringify(value['apiVersion'])}; give apiserver.config.k8s.io/v1`);
  return objectsOf(value['resources']).map((row, index) => {
    const path = `resources[${String(index)}]`;
    const [resources, providers] = [textsOf(row['resources']), objectsOf(row['providers'])];
    if (resources.length === 0) throw wrong(`${path}.resources`, 'it is empty; name kinds such as secrets');
    if (providers.length === 0) throw wrong(`${path}.providers`, 'it is empty; give at least identity: {}');
    return {
      resources,
      providers: providers.map((one, at) => readProvider(one, `${path}.providers[${String(at)}]`)),
    };
  });
}

function readProvider(row: Readonly<Record<string, unknown>>, path: string): Provider {
  const [type = '', ...more] = Object.keys(row);
  if (more.length > 0) throw wrong(path, 'it names several ways; give each its own row');
  if (type === 'identity') return { type };
  if (type !== 'aesgcm' && type !== 'aescbc')
    throw wrong(path, `${JSON.stringify(type)} is not done here; use aesgcm or aescbc`);
  const rows = objectsOf((row[type] as Record<string, unknown> | undefined)?.['keys']);
  if (rows.length === 0 || rows.length > keysMost)
    throw wrong(`${path}.${type}.keys`, `there are ${String(rows.length)}; give 1 to ${String(keysMost)}`);
  const keys = rows.map((one, index) => readKey(one, `${path}.${type}.keys[${String(index)}]`));
  if (new Set(keys.map(({ name }) => name)).size < keys.length)
    throw wrong(`${path}.${type}.keys`, 'a name is there twice');
  return { type, keys };
}

function readKey(row: Readonly<Record<string, unknown>>, path: string): NamedKey {
  const name = textOf(row['name']);
  // The name stands between colons in front of each value.
  if (!/^[^:\s]{1,256}$/.test(name))
    throw wrong(`${path}.name`, 'it is empty or has a colon or white space; choose another');
  const bytes = Buffer.from(textOf(row['secret']), 'base64');
  if (!keySizes.includes(bytes.length))
    throw wrong(`${path}.secret`, `it has ${String(bytes.length)} bytes; give 16, 24 or 32 in base64`);
  return { name, key: createSecretKey(bytes) };
}

function wrong(path: string, state: string): StatusError {
  return new StatusError('InvalidArgument', `Cannot use encryption configuration "${path}": ${state}`);
}
