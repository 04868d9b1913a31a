import { StatusError } from '#base/errors.ts';
import type { Container, EnvFromSource, EnvVarSource, Pod } from '#kube/types/gen/core-v1.ts';

import { expand } from './expand.ts';
import { fieldValue } from './field-value.ts';
import type { PodFacts, PodSources } from './pod-sources.ts';
import { resourceValue } from './resource-value.ts';
import { serviceVariables } from './service-variables.ts';

type Environment = ReadonlyMap<string, string>;

/**
 * The variables of a container beside those of its image. Throws with the words that upstream shows under
 * CreateContainerConfigError: NotFound when something that is not optional is missing, InvalidArgument for fields that
 * cannot be asked for.
 */
export async function resolveEnvironment(
  pod: Pod,
  container: Container,
  facts: PodFacts,
  sources: PodSources,
  signal: AbortSignal,
): Promise<Environment> {
  const namespace = pod.metadata.namespace ?? '';
  const links = serviceVariables(await sources.services(signal), namespace, pod.spec?.enableServiceLinks !== false);
  const inherited = new Map(links);
  const own = new Map<string, string>();
  for (const from of container.envFrom ?? [])
    for (const [name, value] of Object.entries(await wholeSource(from, namespace, sources, signal)))
      own.set((from.prefix ?? '') + name, value);
  for (const { name = '', value = '', valueFrom } of container.env ?? []) {
    const context = { pod, container, facts, sources };
    const text =
      value !== '' || valueFrom === undefined
        ? expand(value, (name) => own.get(name) ?? inherited.get(name))
        : await sourceValue(valueFrom, context, signal);
    if (text !== undefined) own.set(name, text);
  }
  for (const [name, value] of inherited) if (!own.has(name)) own.set(name, value);
  return own;
}

/** The words of a command or of arguments with the variables of their container. */
export function expandWords(words: readonly string[], environment: Environment): readonly string[] {
  return words.map((word) => expand(word, (name) => environment.get(name)));
}

/** What a Secret holds under its keys; bytes that are no text become U+FFFD. */
function decodeSecret(data: Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(data ?? {}).map(([key, value]) => [key, decoded(value)]));
}

async function wholeSource(
  { configMapRef, secretRef }: EnvFromSource,
  namespace: string,
  sources: PodSources,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  if (configMapRef !== undefined) {
    const found = await sources.configMap(namespace, configMapRef.name ?? '', signal);
    return (found ?? missing('configmap', configMapRef.name, configMapRef.optional))?.data ?? {};
  }
  if (secretRef === undefined) return {};
  const found = await sources.secret(namespace, secretRef.name ?? '', signal);
  return decodeSecret((found ?? missing('secret', secretRef.name, secretRef.optional))?.data);
}

interface ValueContext {
  readonly pod: Pod;
  readonly container: Container;
  readonly facts: PodFacts;
  readonly sources: PodSources;
}

/** undefined: what is optional is not there, so neither is the variable. */
async function sourceValue(
  source: EnvVarSource,
  { pod, container, facts, sources }: ValueContext,
  signal: AbortSignal,
): Promise<string | undefined> {
  const namespace = pod.metadata.namespace ?? '';
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source;
  if (fieldRef !== undefined) return fieldValue(pod, fieldRef.fieldPath ?? '', facts);
  if (resourceFieldRef !== undefined)
    return resourceValue(
      containerOf(pod, resourceFieldRef.containerName, container),
      resourceFieldRef,
      facts.allocatable,
    );
  if (configMapKeyRef !== undefined) {
    const { name = '', key = '', optional } = configMapKeyRef;
    const found = (await sources.configMap(namespace, name, signal)) ?? missing('configmap', name, optional);
    return found?.data?.[key] ?? missingKey(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`, optional);
  }
  if (secretKeyRef !== undefined) {
    const { name = '', key = '', optional } = secretKeyRef;
    const found = (await sources.secret(namespace, name, signal)) ?? missing('secret', name, optional);
    const value = found?.data?.[key];
    if (value !== undefined) return decoded(value);
    return missingKey(`couldn't find key ${key} in Secret ${namespace}/${name}`, optional);
  }
  if (fileKeyRef !== undefined)
    throw new StatusError('NotSupported', 'Cannot read variables from a file (fileKeyRef); give them by a ConfigMap');
  return '';
}

/** The container that a reference names; without a name the one that refers. */
function containerOf(pod: Pod, name: string | undefined, own: Container): Container {
  if (name === undefined || name === '') return own;
  const all = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  const found = all.find((container) => container.name === name);
  if (found === undefined) throw new StatusError('InvalidArgument', `container ${name} not found`);
  return found;
}

function missing(kind: 'configmap' | 'secret', name = '', optional = false): undefined {
  if (!optional) throw new StatusError('NotFound', `${kind} "${name}" not found`);
}

function missingKey(message: string, optional = false): undefined {
  if (!optional) throw new StatusError('NotFound', message);
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}
