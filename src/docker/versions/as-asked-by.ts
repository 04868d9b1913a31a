import { StatusError } from '#base/errors.ts';

import type { ApiVersion } from '../http/api-version.ts';
import { speaks } from '../http/api-version.ts';
import type { CreateRequest } from '../translate/create-request.ts';
import type { MountConfig } from '../translate/mount-fields.ts';

type HostConfig = NonNullable<CreateRequest['HostConfig']>;
type Endpoints = NonNullable<NonNullable<CreateRequest['NetworkingConfig']>['EndpointsConfig']>;

/** What a client older than 1.<below> did not know, or meant otherwise. */
interface RequestRule {
  readonly below: number;
  readonly change: (request: CreateRequest) => CreateRequest;
}

/**
 * The body of POST /containers/create as a client of this version meant it: fields that came later do nothing, and
 * defaults that changed are the old ones (moby, api/docs/CHANGELOG.md). Throws InvalidArgument for later fields whose
 * loss would be dangerous.
 */
export function asAskedBy(version: ApiVersion, request: CreateRequest): CreateRequest {
  let meant = request;
  for (const { below, change } of rules) if (!speaks(version, below)) meant = change(meant);
  // Since 1.52 the address belongs to the endpoint.
  return speaks(version, 52) ? withoutField(meant, 'MacAddress') : meant;
}

const rules: readonly RequestRule[] = [
  // The client removed the container itself.
  { below: 25, change: onHost((host) => ({ ...host, AutoRemove: false })) },
  // Private is the default since then.
  { below: 40, change: onHost((host) => ({ ...host, IpcMode: host.IpcMode || 'shareable' })) },
  {
    below: 42,
    change: onHost((host) => ({ ...withoutField(host, 'ConsoleSize'), ...mountsOf(host, ownOptionsOnly) })),
  },
  { below: 43, change: onHost((host) => withoutField(host, 'Annotations')) },
  { below: 44, change: withoutStartInterval },
  { below: 44, change: onHost((host) => ({ ...host, ...mountsOf(host, withShallowReadOnly) })) },
  { below: 44, change: onEndpoints(atMostOne) },
  { below: 44, change: onEndpoints(eachEndpoint((endpoint) => withoutField(endpoint, 'MacAddress'))) },
  { below: 45, change: onHost((host) => ({ ...host, ...mountsOf(host, withoutSubpath) })) },
  { below: 48, change: onHost((host) => ({ ...host, ...mountsOf(host, withoutImage) })) },
  { below: 48, change: onEndpoints(eachEndpoint((endpoint) => withoutField(endpoint, 'GwPriority'))) },
];

function onHost(change: (host: HostConfig) => HostConfig): RequestRule['change'] {
  return (request) => ({ ...request, HostConfig: change(request.HostConfig ?? {}) });
}

function onEndpoints(change: (endpoints: Endpoints) => Endpoints): RequestRule['change'] {
  return (request) => {
    const endpoints = request.NetworkingConfig?.EndpointsConfig;
    return endpoints === undefined ? request : { ...request, NetworkingConfig: { EndpointsConfig: change(endpoints) } };
  };
}

function eachEndpoint(change: (endpoint: Endpoints[string]) => Endpoints[string]): (endpoints: Endpoints) => Endpoints {
  return (endpoints) => Object.fromEntries(Object.entries(endpoints).map(([name, one]) => [name, change(one)]));
}

function mountsOf(host: HostConfig, change: (mount: MountConfig) => MountConfig): Pick<HostConfig, 'Mounts'> {
  return host.Mounts === undefined ? {} : { Mounts: host.Mounts.map(change) };
}

/** Options of other types of mounts were not looked at, and no client made sources of binds. */
function ownOptionsOnly(mount: MountConfig): MountConfig {
  const { BindOptions, VolumeOptions, TmpfsOptions, ...rest } = mount;
  return {
    ...rest,
    ...(mount.Type === 'bind' &&
      BindOptions !== undefined && { BindOptions: withoutField(BindOptions, 'CreateMountpoint') }),
    ...(mount.Type === 'volume' && VolumeOptions !== undefined && { VolumeOptions }),
    ...(mount.Type === 'tmpfs' && TmpfsOptions !== undefined && { TmpfsOptions }),
  };
}

/** Only the mount itself was read-only, not what is mounted below. */
function withShallowReadOnly(mount: MountConfig): MountConfig {
  if (mount.BindOptions?.ReadOnlyForceRecursive === true) throw tooOld('BindOptions.ReadOnlyForceRecursive', '1.44');
  if (mount.Type !== 'bind' || mount.ReadOnly !== true) return mount;
  return { ...mount, BindOptions: { ...mount.BindOptions, ReadOnlyNonRecursive: true } };
}

function withoutSubpath(mount: MountConfig): MountConfig {
  if ((mount.VolumeOptions?.Subpath ?? '') !== '') throw tooOld('VolumeOptions.Subpath', '1.45');
  return mount;
}

function withoutImage(mount: MountConfig): MountConfig {
  if (mount.Type === 'image') throw tooOld('Mount type "Image"', '1.48');
  return mount;
}

function tooOld(what: string, version: string): StatusError {
  return new StatusError('InvalidArgument', `${what} needs API v${version} or newer`);
}

function withoutStartInterval(request: CreateRequest): CreateRequest {
  const { Healthcheck } = request;
  return Healthcheck === undefined ? request : { ...request, Healthcheck: withoutField(Healthcheck, 'StartInterval') };
}

function atMostOne(endpoints: Endpoints): Endpoints {
  const names = Object.keys(endpoints);
  if (names.length <= 1) return endpoints;
  const message = `Container cannot be created with multiple network endpoints: ${names.join(', ')}`;
  throw new StatusError('InvalidArgument', message);
}

function withoutField<T extends object, K extends keyof T>(from: T, name: K): Omit<T, K> {
  const { [name]: _, ...rest } = from;
  return rest;
}
