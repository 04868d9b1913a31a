import { StatusError } from '#base/errors.ts';
import type { ContainerSpec } from '../container.ts';
import type { NamespaceType, RuntimeNamespace } from './runtime-spec.ts';

/** What a container shares with others, resolved to paths. */
export interface NamespaceInput {
  readonly spec: Pick<ContainerSpec, 'pidMode' | 'ipcMode' | 'utsMode' | 'cgroupnsMode' | 'privileged'>;
  /** Path of the network namespace; undefined: the host's. */
  readonly netnsPath: string | undefined;
  /** Path of the user namespace; undefined: the host's. */
  readonly userNamespacePath: string | undefined;
  readonly cgroupVersion: 1 | 2;
  /** Process ID on the host of a running container that a mode `container:<id>` names. */
  readonly pidOf: (containerId: string) => number;
  /** Path of the IPC namespace of the pod that the container belongs to; undefined: the host's. */
  readonly podIpcPath?: string | undefined;
}

/** The namespaces of a container: new ones, joined ones by path, none where it has the host's. */
export function runtimeNamespaces(input: NamespaceInput): readonly RuntimeNamespace[] {
  const { spec } = input;
  const namespaces: RuntimeNamespace[] = [{ type: 'mount' }];
  if (input.userNamespacePath !== undefined) namespaces.push({ type: 'user', path: input.userNamespacePath });
  const add = (type: NamespaceType, mode: string): void => {
    if (mode === 'host') return;
    const other = sharedWith(mode);
    if (other === undefined) namespaces.push({ type });
    else namespaces.push({ type, path: `/proc/${String(input.pidOf(other))}/ns/${type}` });
  };
  add('pid', known('PID', spec.pidMode, ['', 'host', 'private']));
  if (sandboxOf(spec.ipcMode) === undefined)
    add('ipc', known('IPC', spec.ipcMode, ['', 'host', 'private', 'shareable', 'none']));
  else if (input.podIpcPath !== undefined) namespaces.push({ type: 'ipc', path: input.podIpcPath });
  add('uts', known('UTS', spec.utsMode, ['', 'host', 'private']));
  if (input.netnsPath !== undefined) namespaces.push({ type: 'network', path: input.netnsPath });
  const fallback = input.cgroupVersion === 2 && !spec.privileged ? 'private' : 'host';
  const cgroupns = known('cgroup namespace', spec.cgroupnsMode, ['', 'host', 'private']);
  add('cgroup', cgroupns === '' ? fallback : cgroupns);
  return namespaces;
}

/** The container that a mode `container:<id>` names. */
export function sharedWith(mode: string): string | undefined {
  return mode.startsWith('container:') ? mode.slice('container:'.length) : undefined;
}

/** The sandbox of a pod that a mode `sandbox:<id>` names. */
export function sandboxOf(mode: string): string | undefined {
  return mode.startsWith('sandbox:') ? mode.slice('sandbox:'.length) : undefined;
}

function known(what: string, mode: string, modes: readonly string[]): string {
  if (modes.includes(mode)) return mode;
  const other = sharedWith(mode);
  if (other !== undefined && other !== '' && (what === 'PID' || what === 'IPC')) return mode;
  throw new StatusError('InvalidArgument', `invalid ${what} mode: ${mode}`);
}
