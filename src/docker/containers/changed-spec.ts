import { isDeepStrictEqual } from 'node:util';

import { StatusError } from '#base/errors.ts';
import type { Engine } from '#engine/engine.ts';
import type { Container, ContainerSpec, MountRequest } from '#engine/runtime/container.ts';
import type { ImageDefaults } from '#formats/oci.ts';

import { parseBind } from '../translate/binds.ts';
import type { Config } from '../translate/config-fields.ts';
import { containerSpec } from '../translate/container-spec.ts';
import type { HostConfig } from '../translate/host-config-fields.ts';
import { parseMountText } from '../translate/mount-text.ts';
import { mountRequest } from '../translate/mounts.ts';
import { type DockerOrigin, originOf } from '../translate/origin.ts';
import { portRequests } from '../translate/ports.ts';
import { meansPublished, parsePublished } from '../translate/published-port.ts';
import { worldOf } from './world-of.ts';

/** What shall be different about a container; texts as docker's client takes them. */
export interface SpecChanges {
  /** `8080:80`. */
  readonly publishAdd: readonly string[];
  readonly publishRemove: readonly string[];
  /** `NAME=value`. */
  readonly envAdd: readonly string[];
  /** `NAME`. */
  readonly envRemove: readonly string[];
  /** `--mount` or `-v`. */
  readonly mountAdd: readonly string[];
  /** The path in the container. */
  readonly mountRemove: readonly string[];
  /** '' = the same. */
  readonly image: string;
}

/** The spec that a container has after the changes. Throws InvalidArgument for what is not there to be removed. */
export function changedSpec(engine: Engine, container: Container, changes: SpecChanges): ContainerSpec {
  const base = changes.image === '' ? container.spec : withImage(engine, container, changes.image);
  const origin = originOf(base);
  const env = changedEnv(base.env, changes);
  const mounts = changedMounts(base.mounts, changes);
  const bindings = changedBindings(origin.hostConfig.PortBindings ?? {}, changes);
  const ports = portRequests(origin.config.ExposedPorts ?? {}, bindings, origin.hostConfig.PublishAllPorts ?? false);
  const config: Config = { ...origin.config, Env: changedEnv(origin.config.Env ?? [], changes) };
  const hostConfig: HostConfig = { ...origin.hostConfig, PortBindings: bindings, ...shownMounts(origin, changes) };
  return {
    ...base,
    env,
    mounts,
    network: { ...base.network, ports },
    origin: { face: 'docker', config, hostConfig } satisfies DockerOrigin,
  };
}

/** The same request, with another image's defaults in the place of the old one's. */
function withImage(engine: Engine, { spec }: Container, imageName: string): ContainerSpec {
  const { config, hostConfig } = originOf(spec);
  const old = engine.images.find(spec.imageId)?.config.config ?? {};
  const image = engine.images.get(imageName);
  const request = { ...withoutDefaults(config, old), Image: imageName, HostConfig: hostConfig };
  const { spec: next } = containerSpec(request, worldOf(engine, image));
  const { limits, restart, network } = spec;
  return { ...next, limits, restart, network };
}

/** What the client itself had asked for. */
function withoutDefaults(config: Config, image: ImageDefaults): Config {
  const own: Record<string, unknown> = { ...config };
  const defaults: Record<string, unknown> = { ...image };
  for (const [key, value] of Object.entries(defaults)) if (isDeepStrictEqual(own[key], value)) delete own[key];
  for (const key of ['Labels', 'ExposedPorts', 'Volumes'] as const) {
    const given: Readonly<Record<string, unknown>> = image[key] ?? {};
    const left = Object.entries(config[key] ?? {}).filter(([name, value]) => !isDeepStrictEqual(given[name], value));
    own[key] = Object.fromEntries(left);
  }
  own['Env'] = (config.Env ?? []).filter((entry) => !(image.Env ?? []).includes(entry));
  return own;
}

function changedEnv(env: readonly string[], { envAdd, envRemove }: SpecChanges): readonly string[] {
  for (const entry of envAdd) if (!/^[^=]+=/.test(entry)) throw invalid(`"${entry}" is no variable; write NAME=value`);
  for (const name of envRemove)
    if (!env.some((entry) => nameOf(entry) === name)) throw invalid(`it has no variable ${name}`);
  const gone = new Set([...envRemove, ...envAdd.map(nameOf)]);
  return [...env.filter((entry) => !gone.has(nameOf(entry))), ...envAdd];
}

function changedMounts(mounts: readonly MountRequest[], changes: SpecChanges): readonly MountRequest[] {
  for (const target of changes.mountRemove)
    if (!mounts.some((mount) => mount.target === target)) throw invalid(`nothing is mounted at ${target}`);
  const added = changes.mountAdd.map(readMount);
  // One that is added in the place of another replaces it.
  const gone = new Set([...changes.mountRemove, ...added.map(({ target }) => target)]);
  return [...mounts.filter(({ target }) => !gone.has(target)), ...added];
}

function readMount(text: string): MountRequest {
  return isLongForm(text) ? mountRequest(parseMountText(text)) : parseBind(text);
}

function isLongForm(text: string): boolean {
  return /(^|,)(target|destination|dst)=/.test(text);
}

/** The mounts as inspect shows them. */
function shownMounts(
  { hostConfig }: DockerOrigin,
  changes: SpecChanges,
): Pick<HostConfig, 'Binds' | 'Mounts' | 'Tmpfs'> {
  const gone = new Set([...changes.mountRemove, ...changes.mountAdd.map((text) => readMount(text).target)]);
  const binds = (hostConfig.Binds ?? []).filter((bind) => !gone.has(parseBind(bind).target));
  const mounts = (hostConfig.Mounts ?? []).filter((mount) => !gone.has(mountRequest(mount).target));
  const tmpfs = Object.entries(hostConfig.Tmpfs ?? {}).filter(([target]) => !gone.has(target));
  return {
    Binds: [...binds, ...changes.mountAdd.filter((text) => !isLongForm(text))],
    Mounts: [...mounts, ...changes.mountAdd.filter(isLongForm).map(parseMountText)],
    ...(hostConfig.Tmpfs !== undefined && { Tmpfs: Object.fromEntries(tmpfs) }),
  };
}

type Bindings = NonNullable<HostConfig['PortBindings']>;

function changedBindings(bindings: Bindings, { publishAdd, publishRemove }: SpecChanges): Bindings {
  const flat = Object.entries(bindings).flatMap(([port, list]) =>
    list.map(({ HostIp = '', HostPort = '' }) => ({
      port: port.includes('/') ? port : `${port}/tcp`,
      HostIp,
      HostPort,
    })),
  );
  for (const text of publishRemove)
    if (!flat.some((binding) => meansPublished(text, binding))) throw invalid(`port ${text} is not published`);
  const kept = flat.filter((binding) => !publishRemove.some((text) => meansPublished(text, binding)));
  const all = [...kept, ...publishAdd.map(parsePublished)];
  return Object.fromEntries(
    [...Map.groupBy(all, ({ port }) => port)].map(([port, list]) => [
      port,
      list.map(({ HostIp, HostPort }) => ({ HostIp, HostPort })),
    ]),
  );
}

function nameOf(entry: string): string {
  return entry.split('=', 1)[0] ?? entry;
}

function invalid(state: string): StatusError {
  return new StatusError('InvalidArgument', `Cannot change the container: ${state}`);
}
