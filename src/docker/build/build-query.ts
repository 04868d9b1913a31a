import { availableParallelism } from 'node:os';

import { StatusError } from '#base/errors.ts';
import type { BuildRequest } from '#engine/build/builder.ts';
import type { ResourceLimits } from '#engine/runtime/container.ts';
import { familiarReference, parseReference, withDefaultTag } from '#formats/reference.ts';

import type { Decoder } from '../http/decode.ts';
import { listOf, mapOf, sparseListOf, text } from '../http/decode.ts';
import type { Query } from '../http/query.ts';
import { platformOf } from '../images/platform.ts';
import { buildKitRefusal } from '../system/buildkit.ts';
import { ulimit } from '../translate/host-config-fields.ts';
import { resourceLimits, ulimits } from '../translate/limits.ts';

/** What POST /build's parameters say; the context and the Dockerfile come with the body. */
export type BuildOptions = Omit<BuildRequest, 'contextDir' | 'dockerfile' | 'dockerfileName' | 'auth'>;

/** Parameters that may only be sent with a value that changes nothing. */
const refusedParameters: Readonly<Record<string, RegExp>> = {
  squash: /^(|0|false)$/i,
  isolation: /^(|default)$/,
  cgroupparent: /^$/,
  securityopt: /^(|null|\[\])$/,
  outputs: /^(|null|\[\])$/,
};

const textOrNull: Decoder<string | null> = (value, path) => (value === null ? null : text(value, path));

/** Reads the parameters of a build; throws InvalidArgument, or NotSupported for what we would have to ignore. */
export function buildOptions(query: Query): BuildOptions {
  if (query.text('version') === '2' || query.text('session') !== '') throw buildKitRefusal();
  checkParameters(query);
  const platform = platformOf(query.text('platform'));
  const wanted = decoded(query, 'ulimits', sparseListOf(ulimit));
  return {
    tags: query.texts('t').filter(Boolean).map(buildTag),
    buildArgs: buildArgs(query),
    target: query.text('target'),
    labels: decoded(query, 'labels', mapOf(text, '')) ?? {},
    noCache: query.flag('nocache'),
    pull: query.flag('pull'),
    cacheFrom: (decoded(query, 'cachefrom', listOf(text)) ?? []).filter(Boolean),
    networkMode: query.text('networkmode') || 'default',
    extraHosts: extraHosts(query),
    ...positive('shmSizeBytes', query.integer('shmsize')),
    limits: limitsOf(query),
    ...(wanted !== undefined && wanted.length > 0 && { ulimits: ulimits({ Ulimits: wanted }) }),
    ...(platform !== undefined && { platform }),
  };
}

/** As for containers, with the same checks. */
function limitsOf(query: Query): ResourceLimits {
  const resources = {
    Memory: query.integer('memory') ?? 0,
    MemorySwap: query.integer('memswap') ?? 0,
    CpuShares: query.integer('cpushares') ?? 0,
    CpuPeriod: query.integer('cpuperiod') ?? 0,
    CpuQuota: query.integer('cpuquota') ?? 0,
    CpusetCpus: query.text('cpusetcpus'),
    CpusetMems: query.text('cpusetmems'),
  };
  return resourceLimits(resources, availableParallelism());
}

function checkParameters(query: Query): void {
  for (const [name, allowed] of Object.entries(refusedParameters)) {
    const value = query.text(name);
    if (allowed.test(value)) continue;
    throw new StatusError('NotSupported', `Cannot build with ${name} "${value}": it is not supported; leave it away`);
  }
}

/** `docker build -t`: a name with a tag and without a digest. */
function buildTag(name: string): string {
  const reference = withDefaultTag(parseReference(name));
  if (reference.digest === undefined) return familiarReference(reference);
  throw new StatusError('InvalidArgument', 'build tag cannot contain a digest');
}

/** A null value: declared without one, as `--build-arg NAME` without such a variable in the client's environment. */
function buildArgs(query: Query): Readonly<Record<string, string | undefined>> {
  const values = decoded(query, 'buildargs', mapOf(textOrNull)) ?? {};
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value ?? undefined]));
}

/** One parameter each, or one with a JSON list. */
function extraHosts(query: Query): readonly string[] {
  return query.texts('extrahosts').flatMap((value) => {
    if (!value.startsWith('[')) return value === '' || value === 'null' ? [] : [value];
    return decodedText(value, 'extrahosts', listOf(text));
  });
}

function positive<K extends string>(name: K, value: number | undefined): Partial<Record<K, number>> {
  if (value === undefined || value === 0) return {};
  if (value < 0) throw new StatusError('InvalidArgument', `Cannot build with ${name} ${String(value)}: it is negative`);
  return { [name]: value } as Partial<Record<K, number>>;
}

function decoded<T>(query: Query, name: string, decoder: Decoder<T>): T | undefined {
  const value = query.json(name);
  return value === undefined || value === null ? undefined : decoder(value, name);
}

function decodedText<T>(value: string, name: string, decoder: Decoder<T>): T {
  try {
    return decoder(JSON.parse(value), name);
  } catch (error) {
    if (error instanceof StatusError) throw error;
    throw new StatusError('InvalidArgument', `Cannot read the parameter "${name}": it is not valid JSON`, {
      cause: error,
    });
  }
}
