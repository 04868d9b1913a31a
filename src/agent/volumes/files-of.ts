import { StatusError } from '#base/errors.ts';
import type {
  ConfigMap,
  Container,
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  Secret,
  ServiceAccountTokenProjection,
  Volume,
  VolumeProjection,
} from '#kube/types/gen/core-v1.ts';

import { fieldValue } from '../environment/field-value.ts';
import type { PodFacts, PodSources } from '../environment/pod-sources.ts';
import { resourceValue } from '../environment/resource-value.ts';
import type { VolumeFile } from './atomic-folder.ts';

/** What the files of a volume are made from. */
export interface FilesContext {
  readonly pod: Pod;
  readonly facts: PodFacts;
  readonly sources: Pick<PodSources, 'configMap' | 'secret'>;
  /** A token for the pod's service account, which is still good for a while. */
  token(projection: ServiceAccountTokenProjection, signal: AbortSignal): Promise<string>;
}

const defaultMode = 0o644;
const ownMode = 0o600;

/** Whether a volume consists of files that the API tells, which follow its changes. */
export function hasFiles(volume: Volume): boolean {
  return [volume.configMap, volume.secret, volume.downwardAPI, volume.projected].some((one) => one !== undefined);
}

/**
 * The files of a configMap, secret, downwardAPI or projected volume. Throws in upstream's words: NotFound when what is not
 * optional is missing, NotSupported for sources that are not there.
 */
export async function filesOf(
  volume: Volume,
  context: FilesContext,
  signal: AbortSignal,
): Promise<readonly VolumeFile[]> {
  const { configMap, secret, downwardAPI, projected } = volume;
  const mode = (configMap ?? secret ?? downwardAPI ?? projected)?.defaultMode ?? defaultMode;
  if (projected === undefined) {
    const named = secret === undefined ? undefined : { ...secret, name: secret.secretName ?? '' };
    return sourceFiles({ configMap, secret: named, downwardAPI }, mode, context, signal);
  }
  const files: VolumeFile[] = [];
  for (const source of projected.sources ?? []) files.push(...(await sourceFiles(source, mode, context, signal)));
  // Where two sources have a file of the same path the later one is seen.
  return [...new Map(files.map((file) => [file.path, file])).values()];
}

type Source = { readonly [Key in keyof VolumeProjection]: VolumeProjection[Key] | undefined };

async function sourceFiles(
  source: Source,
  mode: number,
  context: FilesContext,
  signal: AbortSignal,
): Promise<readonly VolumeFile[]> {
  const { configMap, secret, downwardAPI, serviceAccountToken } = source;
  const namespace = context.pod.metadata.namespace ?? '';
  if (configMap !== undefined) {
    const found = await context.sources.configMap(namespace, configMap.name ?? '', signal);
    if (found === undefined && configMap.optional !== true)
      throw new StatusError('NotFound', `configmap "${configMap.name ?? ''}" not found`);
    const missing = (key: string): string => `configmap references non-existent config key: ${key}`;
    return pickFiles(bytesOfConfigMap(found), configMap, mode, missing);
  }
  if (secret !== undefined) {
    const found = await context.sources.secret(namespace, secret.name ?? '', signal);
    if (found === undefined && secret.optional !== true)
      throw new StatusError('NotFound', `secret "${secret.name ?? ''}" not found`);
    return pickFiles(bytesOfSecret(found), secret, mode, (key) => `references non-existent secret key: ${key}`);
  }
  if (downwardAPI !== undefined) return (downwardAPI.items ?? []).map((item) => downwardFile(item, mode, context));
  if (serviceAccountToken !== undefined) return [await tokenFile(serviceAccountToken, mode, context, signal)];
  const refused = Object.keys(source).find((key) => source[key as keyof Source] !== undefined) ?? 'nothing';
  throw new StatusError('NotSupported', `projected volumes cannot have a source ${refused} on this node`);
}

interface Picked {
  readonly items?: readonly KeyToPath[];
  readonly optional?: boolean;
}

function pickFiles(
  data: ReadonlyMap<string, Uint8Array>,
  { items, optional = false }: Picked,
  mode: number,
  missing: (key: string) => string,
): readonly VolumeFile[] {
  if (items === undefined || items.length === 0) return [...data].map(([path, bytes]) => ({ path, data: bytes, mode }));
  return items.flatMap(({ key = '', path = '', mode: own }) => {
    const bytes = data.get(key);
    if (bytes !== undefined) return [{ path, data: bytes, mode: own ?? mode }];
    if (!optional) throw new StatusError('NotFound', missing(key));
    return [];
  });
}

function bytesOfConfigMap(object: ConfigMap | undefined): ReadonlyMap<string, Uint8Array> {
  const texts = Object.entries(object?.data ?? {}).map(([key, text]) => [key, Buffer.from(text)] as const);
  return new Map([...texts, ...bytesOf(object?.binaryData)]);
}

function bytesOfSecret(object: Secret | undefined): ReadonlyMap<string, Uint8Array> {
  return new Map(bytesOf(object?.data));
}

function bytesOf(data: Readonly<Record<string, string>> | undefined): readonly (readonly [string, Uint8Array])[] {
  return Object.entries(data ?? {}).map(([key, base64]) => [key, Buffer.from(base64, 'base64')]);
}

function downwardFile(item: DownwardAPIVolumeFile, mode: number, { pod, facts }: FilesContext): VolumeFile {
  const { fieldRef, resourceFieldRef, path = '' } = item;
  const text =
    resourceFieldRef === undefined
      ? fieldValue(pod, fieldRef?.fieldPath ?? '', facts)
      : resourceValue(containerNamed(pod, resourceFieldRef.containerName ?? ''), resourceFieldRef, facts.allocatable);
  return { path, data: Buffer.from(text), mode: item.mode ?? mode };
}

function containerNamed({ spec }: Pod, name: string): Container {
  const all = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  const found = all.find((container) => container.name === name);
  if (found === undefined) throw new StatusError('InvalidArgument', `container ${name} not found`);
  return found;
}

/** A token is for the one user that all containers run as, or for the volume's group; else for whom the mode says. */
async function tokenFile(
  projection: ServiceAccountTokenProjection,
  mode: number,
  context: FilesContext,
  signal: AbortSignal,
): Promise<VolumeFile> {
  const data = Buffer.from(await context.token(projection, signal));
  const uid = onlyUser(context.pod);
  const isOwn = uid !== undefined || context.pod.spec?.securityContext?.fsGroup !== undefined;
  return { path: projection.path ?? '', data, mode: isOwn ? ownMode : mode, ...(uid !== undefined && { uid }) };
}

function onlyUser({ spec }: Pod): number | undefined {
  const all = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const users = all.map(({ securityContext }) => securityContext?.runAsUser ?? spec?.securityContext?.runAsUser);
  return new Set(users).size === 1 ? users[0] : undefined;
}
