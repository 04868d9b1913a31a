import type { Container, ContainerState, MountPoint } from '#engine/runtime/container.ts';

import type { Context } from '../context.ts';
import { shownConfig, shownHostConfig } from '../translate/origin.ts';
import { networkSettings } from './network-settings.ts';

/** GET /containers/{id}/json. Sizes are bytes, present when they were asked for. */
export function containerBody(
  { engine }: Context,
  container: Container,
  sizes: { readonly SizeRw: number; readonly SizeRootFs: number } | undefined,
): object {
  const { id, spec } = container;
  return {
    Id: id,
    Created: container.createdAt,
    Path: spec.args[0] ?? '',
    Args: spec.args.slice(1),
    State: stateBody(container.state),
    Image: spec.imageId,
    ResolvConfPath: container.resolvConfPath,
    HostnamePath: container.hostnamePath,
    HostsPath: container.hostsPath,
    LogPath: container.logPath,
    Name: `/${container.name}`,
    RestartCount: container.state.restartCount,
    Driver: 'overlay2',
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: container.execIds.length === 0 ? null : container.execIds,
    HostConfig: { ...shownHostConfig(spec), Links: shownLinks(container, engine) },
    GraphDriver: { Name: 'overlay2', Data: graphData(engine, id) },
    ...sizes,
    Mounts: container.mounts.map(mountBody),
    Config: shownConfig(spec, id),
    NetworkSettings: networkSettings(container, engine.networks),
  };
}

/** A mount as inspect and list show it. */
export function mountBody(mount: MountPoint): object {
  return {
    Type: mount.type,
    ...(mount.type === 'volume' && { Name: mount.name }),
    Source: mount.source,
    Destination: mount.destination,
    ...(mount.type === 'volume' && { Driver: 'local' }),
    Mode: mount.readOnly ? 'ro' : '',
    RW: !mount.readOnly,
    Propagation: mount.type === 'bind' && mount.propagation === '' ? 'rprivate' : mount.propagation,
  };
}

/** `/name:/self/alias`, as Docker has always shown links. */
function shownLinks({ name, spec }: Container, engine: Context['engine']): readonly string[] | null {
  const links = spec.network.links ?? [];
  if (links.length === 0) return null;
  const all = engine.containers.list();
  return links.map(({ containerId, alias }) => {
    const other = all.find(({ id }) => id === containerId);
    return `/${other?.name ?? containerId}:/${name}/${alias}`;
  });
}

function stateBody(state: ContainerState): object {
  const { status, health } = state;
  return {
    Status: status,
    // Docker counts a paused container, and one between two restarts, as running.
    Running: status === 'running' || status === 'paused' || status === 'restarting',
    Paused: status === 'paused',
    Restarting: status === 'restarting',
    OOMKilled: state.oomKilled,
    Dead: status === 'dead',
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: state.startedAt,
    FinishedAt: state.finishedAt,
    ...(health !== undefined && {
      Health: {
        Status: health.status,
        FailingStreak: health.failingStreak,
        Log: health.log.map(({ start, end, exitCode, output }) => ({
          Start: start,
          End: end,
          ExitCode: exitCode,
          Output: output,
        })),
      },
    }),
  };
}

function graphData(engine: Context['engine'], id: string): object {
  try {
    return { ID: id, UpperDir: engine.snapshots.upperPath(id) };
  } catch {
    // A container that is being removed has no snapshot any more.
    return { ID: id };
  }
}
