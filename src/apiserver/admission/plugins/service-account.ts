import { randomBelow } from '#base/ids.ts';
import { textOf, objectsOf } from '#kube/fields.ts';
import type { Resource } from '#kube/resource.ts';
import type { Container, Pod, PodSpec, Volume } from '#kube/types/gen/core-v1.ts';

import type { Objects } from '../../auth/objects.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { isAbout, refusal } from '../refusal.ts';

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
const volumePrefix = 'kube-api-access-';
/** An hour and some: the node fetches a new one when four fifths have passed. */
const tokenSeconds = 3607;
/** Letters of generated names: no vowels, so that no words come out. */
const letters = 'bcdfghjklmnpqrstvwxz2456789';

/** Gives a pod its account, the account's token as a volume, and its secrets for pulling images. */
export function serviceAccount(objects: Objects): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    mutate: async (request, signal) => {
      if (request.operation !== 'CREATE' || !isAbout(request, '', 'pods')) return;
      const pod = request.object as Pod;
      const spec = (pod.spec ??= {});
      if (pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) {
        refuseMirror(request, spec);
        return;
      }
      const name = (spec.serviceAccountName ||= 'default');
      const account = await accountOf(objects, request, name, signal);
      if (spec.automountServiceAccountToken ?? account['automountServiceAccountToken'] ?? true) mountToken(spec);
      if ((spec.imagePullSecrets ?? []).length === 0) {
        const secrets = objectsOf(account['imagePullSecrets']).map((one) => ({ name: textOf(one['name']) }));
        if (secrets.length > 0) spec.imagePullSecrets = secrets;
      }
    },
    validate: async (request, signal) => {
      if (request.operation !== 'CREATE' || !isAbout(request, '', 'pods')) return;
      const { spec = {}, metadata } = request.object as Pod;
      if (metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) return;
      const account = await accountOf(objects, request, spec.serviceAccountName ?? 'default', signal);
      if (account.metadata.annotations?.['kubernetes.io/enforce-mountable-secrets'] === 'true')
        refuseOtherSecrets(request, spec, account);
    },
  };
}

async function accountOf(
  objects: Objects,
  request: AdmissionRequest,
  name: string,
  signal: AbortSignal,
): Promise<Resource> {
  const { namespace } = request;
  const account = await objects.get({ group: '', resource: 'serviceaccounts' }, namespace, name, signal);
  if (account !== undefined) return account;
  const what = `error looking up service account ${namespace}/${name}`;
  throw refusal(request, `${what}: serviceaccount ${JSON.stringify(name)} not found`);
}

/** A node makes mirror pods; they must not get at what the node itself may not have. */
function refuseMirror(request: AdmissionRequest, spec: PodSpec): void {
  if ((spec.serviceAccountName ?? '') !== '') throw refusal(request, 'a mirror pod may not reference service accounts');
  const usesToken = (spec.volumes ?? []).some(({ projected }) =>
    (projected?.sources ?? []).some(({ serviceAccountToken }) => serviceAccountToken !== undefined),
  );
  if (usesToken) throw refusal(request, 'a mirror pod may not use ServiceAccountToken volume projections');
}

/** Mounts the token in each container that has nothing at its place; without such a container there is no volume. */
function mountToken(spec: PodSpec): void {
  const volumes = spec.volumes ?? [];
  const existing = volumes.find(({ name = '' }) => name.startsWith(volumePrefix));
  const name = existing?.name ?? `${volumePrefix}${randomLetters(5)}`;
  let isMounted = false;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    if (hasMount(container)) continue;
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath }];
    isMounted = true;
  }
  if (isMounted && existing === undefined) spec.volumes = [...volumes, tokenVolume(name)];
}

function hasMount({ volumeMounts = [] }: Container): boolean {
  return volumeMounts.some((mount) => mount.mountPath === mountPath);
}

function tokenVolume(name: string): Volume {
  const fieldRef = { apiVersion: 'v1', fieldPath: 'metadata.namespace' };
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenSeconds, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef }] } },
      ],
    },
  };
}

/** Accounts with the annotation let their pods use the secrets that they list, and no others. */
function refuseOtherSecrets(request: AdmissionRequest, spec: PodSpec, account: Resource): void {
  const allowed = new Set(objectsOf(account['secrets']).map((one) => textOf(one['name'])));
  const pulling = new Set(objectsOf(account['imagePullSecrets']).map((one) => textOf(one['name'])));
  const why = `is not allowed because service account ${account.metadata.name ?? ''} does not reference that`;
  for (const { secret } of spec.volumes ?? []) {
    const name = secret?.secretName ?? '';
    if (name !== '' && !allowed.has(name))
      throw refusal(request, `volume with secret.secretName=${JSON.stringify(name)} ${why} secret`);
  }
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    const named = [
      ...(container.env ?? []).map(({ valueFrom }) => valueFrom?.secretKeyRef?.name ?? ''),
      ...(container.envFrom ?? []).map(({ secretRef }) => secretRef?.name ?? ''),
    ];
    const other = named.find((name) => name !== '' && !allowed.has(name));
    if (other !== undefined)
      throw refusal(request, `container ${container.name ?? ''} with secret ${JSON.stringify(other)} ${why} secret`);
  }
  const other = (spec.imagePullSecrets ?? []).find(({ name = '' }) => !pulling.has(name));
  if (other !== undefined)
    throw refusal(request, `imagePullSecrets[].name=${JSON.stringify(other.name)} ${why} imagePullSecret`);
}

function randomLetters(count: number): string {
  return Array.from({ length: count }, () => letters[randomBelow(letters.length)]).join('');
}
