import { posix } from 'node:path';

import { StatusError } from '#base/errors.ts';
import type { Container, MountRequest } from '#engine/runtime/container.ts';

import { cleanSource, isPropagation, mountTarget, parseBind } from './binds.ts';
import type { HostConfig } from './host-config-fields.ts';
import type { MountConfig } from './mount-fields.ts';
import { checkTmpfsOptions, parseTmpfs } from './tmpfs.ts';

/**
 * All mounts of a container: what VolumesFrom brings, then `-v`, `--mount` and `--tmpfs`, then anonymous volumes for the
 * image's and the client's VOLUME paths that nothing else covers. Later ones of the first kind are overridden by target,
 * a target given twice by the client is refused, as in Docker.
 */
export function mountRequests(
  host: HostConfig,
  volumes: Readonly<Record<string, object>>,
  containerOf: (nameOrId: string) => Container,
): readonly MountRequest[] {
  const own = new Map<string, MountRequest>();
  const add = (mount: MountRequest): void => {
    if (own.has(mount.target)) throw new StatusError('InvalidArgument', `Duplicate mount point: ${mount.target}`);
    own.set(mount.target, mount);
  };
  for (const bind of host.Binds ?? []) add(parseBind(bind));
  for (const mount of host.Mounts ?? []) add(mountRequest(mount));
  for (const [target, options] of Object.entries(host.Tmpfs ?? {})) add(parseTmpfs(target, options));

  const all = new Map<string, MountRequest>();
  for (const from of host.VolumesFrom ?? []) {
    for (const mount of mountsFrom(from, containerOf)) all.set(mount.target, mount);
  }
  for (const [target, mount] of own) all.set(target, mount);
  for (const path of Object.keys(volumes)) {
    const target = mountTarget(posix.normalize(path.startsWith('/') ? path : `/${path}`), path);
    if (!all.has(target)) all.set(target, { type: 'volume', source: '', target, readOnly: false });
  }
  return [...all.values()];
}

/** Translates one `--mount`. */
export function mountRequest(mount: MountConfig): MountRequest {
  const target = mountTarget(mount.Target ?? '', mount.Target ?? '');
  const base = { source: mount.Source ?? '', target, readOnly: mount.ReadOnly ?? false };
  if (!['', 'default', 'consistent', 'cached', 'delegated'].includes(mount.Consistency ?? '')) {
    throw invalid(target, `unknown consistency "${String(mount.Consistency)}"`);
  }
  checkOptionsOf(mount, target);
  switch (mount.Type) {
    case 'bind':
      return bindRequest(mount, base);
    case 'volume':
      return volumeRequest(mount, base);
    case 'tmpfs':
      return tmpfsRequest(mount, base);
    case 'image':
      return imageRequest(mount, base);
    case 'cluster':
    case 'npipe':
      throw new StatusError('NotSupported', `Cannot mount ${target}: mounts of type "${mount.Type}" are not supported`);
    default:
      throw invalid(target, `mount type unknown: "${mount.Type ?? ''}"`);
  }
}

type BaseRequest = Pick<MountRequest, 'source' | 'target' | 'readOnly'>;

function bindRequest(mount: MountConfig, base: BaseRequest): MountRequest {
  const options = mount.BindOptions ?? {};
  if (!base.source.startsWith('/')) throw invalid(base.target, `mount path "${base.source}" must be absolute`);
  const propagation = options.Propagation ?? '';
  if (propagation !== '' && !isPropagation(propagation)) throw invalid(base.target, `propagation "${propagation}"`);
  const { NonRecursive = false, ReadOnlyNonRecursive = false, ReadOnlyForceRecursive = false } = options;
  if (ReadOnlyForceRecursive && (ReadOnlyNonRecursive || NonRecursive))
    throw invalid(base.target, 'ReadOnlyForceRecursive excludes NonRecursive and ReadOnlyNonRecursive');
  if (ReadOnlyForceRecursive && !base.readOnly)
    throw invalid(base.target, 'ReadOnlyForceRecursive is for mounts with ReadOnly');
  if (ReadOnlyForceRecursive && propagation !== '' && propagation !== 'rprivate')
    throw invalid(base.target, 'ReadOnlyForceRecursive needs the propagation "rprivate"');
  return {
    type: 'bind',
    ...base,
    source: cleanSource(base.source),
    createSource: options.CreateMountpoint ?? false,
    ...(propagation !== '' && { propagation }),
    ...(NonRecursive && { nonRecursive: true }),
    ...(ReadOnlyNonRecursive && { readOnlyReach: 'top' as const }),
    ...(ReadOnlyForceRecursive && { readOnlyReach: 'all' as const }),
  };
}

function imageRequest(mount: MountConfig, base: BaseRequest): MountRequest {
  if (base.source === '') throw invalid(base.target, 'field Source must not be empty');
  return { type: 'image', ...base, ...subpathOf(mount.ImageOptions?.Subpath, base.target) };
}

/** The part of a volume or image that is mounted; it cannot climb out. */
function subpathOf(subpath: string | undefined, target: string): Pick<MountRequest, 'subpath'> {
  if (subpath === undefined || subpath === '') return {};
  const clean = posix.normalize(subpath).replace(/(?<=.)\/$/, '');
  if (subpath.includes('\0') || clean.startsWith('/') || clean === '..' || clean.startsWith('../'))
    throw invalid(target, 'subpath must be a relative path within the volume');
  return clean === '.' ? {} : { subpath: clean };
}

function volumeRequest(mount: MountConfig, base: BaseRequest): MountRequest {
  const options = mount.VolumeOptions ?? {};
  if ((options.Subpath ?? '') !== '' && base.source === '')
    throw invalid(base.target, 'must not set Subpath when using anonymous volumes');
  const driver = options.DriverConfig?.Name ?? '';
  if (driver !== '' && driver !== 'local') {
    const words = `error looking up volume plugin ${driver}: plugin "${driver}" not found`;
    throw new StatusError('NotFound', `${words}; the only volume driver is "local"`);
  }
  const driverOptions = options.DriverConfig?.Options;
  return {
    type: 'volume',
    ...base,
    ...subpathOf(options.Subpath, base.target),
    ...(options.NoCopy === true && { noCopy: true }),
    ...(options.Labels !== undefined && { volumeLabels: options.Labels }),
    ...(driverOptions !== undefined && { volumeDriverOptions: driverOptions }),
  };
}

function tmpfsRequest(mount: MountConfig, base: BaseRequest): MountRequest {
  if (base.source !== '') throw invalid(base.target, 'a tmpfs has no source');
  const options = mount.TmpfsOptions ?? {};
  const sizeBytes = options.SizeBytes ?? 0;
  if (sizeBytes < 0) throw invalid(base.target, 'SizeBytes cannot be negative');
  return {
    type: 'tmpfs',
    ...base,
    ...(sizeBytes > 0 && { tmpfsSizeBytes: sizeBytes }),
    ...(options.Mode !== undefined && options.Mode > 0 && { tmpfsMode: options.Mode & 0o7777 }),
    ...(options.Options !== undefined && { tmpfsOptions: checkTmpfsOptions(options.Options) }),
  };
}

function checkOptionsOf(mount: MountConfig, target: string): void {
  const owners = {
    BindOptions: 'bind',
    VolumeOptions: 'volume',
    TmpfsOptions: 'tmpfs',
    ImageOptions: 'image',
  } as const;
  for (const [name, type] of Object.entries(owners) as [keyof typeof owners, string][]) {
    if (mount[name] !== undefined && mount.Type !== type)
      throw invalid(target, `${name} is for mounts of type ${type}`);
  }
}

/** `container[:ro|:rw]`: the other container's volumes and binds at the same targets. */
function mountsFrom(text: string, containerOf: (nameOrId: string) => Container): readonly MountRequest[] {
  const [name = '', mode = ''] = text.split(':', 2);
  if (!['', 'ro', 'rw', 'z', 'Z'].includes(mode)) {
    throw new StatusError('InvalidArgument', `invalid mode for volumes-from: ${mode}`);
  }
  const { mounts, spec } = containerOf(name);
  return mounts
    .filter((mount) => mount.type !== 'tmpfs')
    .map((mount) => ({
      ...reachOf(spec.mounts.find(({ target }) => target === mount.destination)),
      type: mount.type,
      source: mount.type === 'volume' ? mount.name : mount.source,
      target: mount.destination,
      readOnly: mode === 'ro' || mount.readOnly,
      ...(mount.type === 'bind' && mount.propagation !== '' && { propagation: mount.propagation }),
    }));
}

/** What of a mount is shown, and how far: the same for whoever takes it over. */
function reachOf(mount: MountRequest | undefined): Pick<MountRequest, 'subpath' | 'nonRecursive' | 'readOnlyReach'> {
  const { subpath, nonRecursive, readOnlyReach } = mount ?? {};
  return {
    ...(subpath !== undefined && { subpath }),
    ...(nonRecursive !== undefined && { nonRecursive }),
    ...(readOnlyReach !== undefined && { readOnlyReach }),
  };
}

function invalid(target: string, why: string): StatusError {
  return new StatusError('InvalidArgument', `invalid mount config for "${target}": ${why}`);
}
