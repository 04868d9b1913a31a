import type { KeyObject } from 'node:crypto';

import { objectOf, textOf } from '#kube/fields.ts';
import type { Resource } from '#kube/resource.ts';

import type { Objects } from '../auth/objects.ts';
import { tokenForSecret } from '../auth/tokens/secret-tokens.ts';
import { forEachPut, isReason } from './ensure.ts';

const secrets = { group: '', resource: 'secrets' };
const serviceAccounts = { group: '', resource: 'serviceaccounts' };
const tokenType = 'kubernetes.io/service-account-token';
const nameAnnotation = 'kubernetes.io/service-account.name';
const uidAnnotation = 'kubernetes.io/service-account.uid';

export interface TokenSecretsOptions {
  readonly objects: Objects;
  readonly key: KeyObject;
  readonly authorityPem: string;
  readonly onError: (error: unknown) => void;
}

/**
 * Fills secrets of type service-account-token, and deletes those whose account is gone (controller/serviceaccount,
 * tokens_controller.go). Runs until the signal aborts.
 */
export async function runTokenSecrets(options: TokenSecretsOptions, signal: AbortSignal): Promise<void> {
  const { objects, onError } = options;
  const mend = async (secret: Resource): Promise<void> => await mendSecret(options, secret, signal);
  const mendOfAccounts = async (): Promise<void> => {
    for await (const { type, object } of objects.follow(serviceAccounts, signal)) {
      // Secrets may have come before their account, and go after it.
      if (object === undefined || type === 'synced') continue;
      const { namespace = '', name = '' } = object.metadata;
      const own = (await objects.list(secrets, namespace, signal)).filter((one) => accountOf(one) === name);
      for (const secret of own)
        await mend(secret).catch((error: unknown) => {
          if (!signal.aborted && !isReason(error, 'Conflict', 'NotFound')) onError(error);
        });
    }
  };
  await Promise.all([forEachPut(objects, secrets, mend, onError, signal), mendOfAccounts()]);
}

async function mendSecret(
  { objects, key, authorityPem }: TokenSecretsOptions,
  secret: Resource,
  signal: AbortSignal,
): Promise<void> {
  const name = accountOf(secret);
  const { namespace = '', deletionTimestamp, annotations } = secret.metadata;
  if (name === undefined || deletionTimestamp !== undefined) return;
  const account = await objects.get(serviceAccounts, namespace, name, signal);
  const uid = annotations?.[uidAnnotation] ?? '';
  if (account === undefined || (uid !== '' && uid !== account.metadata.uid)) {
    await objects.delete(secrets, secret, signal);
    return;
  }
  const next = filledSecret(secret, account, key, authorityPem);
  if (next !== undefined) await objects.update(secrets, next, signal);
}

/** The secret with all that it shall have; undefined when it has. */
function filledSecret(secret: Resource, account: Resource, key: KeyObject, authorityPem: string): Resource | undefined {
  const { annotations, namespace = '' } = secret.metadata;
  const data = objectOf(secret['data']);
  const [ca, where] = [authorityPem, namespace].map((text) => Buffer.from(text).toString('base64'));
  const hasToken = textOf(data['token']) !== '';
  const hasUid = (annotations?.[uidAnnotation] ?? '') !== '';
  if (hasToken && hasUid && data['ca.crt'] === ca && data['namespace'] === where) return undefined;
  const token = hasToken ? data['token'] : Buffer.from(tokenForSecret(account, secret, key)).toString('base64');
  return {
    ...secret,
    metadata: { ...secret.metadata, annotations: { ...annotations, [uidAnnotation]: account.metadata.uid ?? '' } },
    data: { ...data, 'ca.crt': ca, namespace: where, token },
  };
}

function accountOf(secret: Resource): string | undefined {
  return secret['type'] === tokenType ? secret.metadata.annotations?.[nameAnnotation] : undefined;
}
