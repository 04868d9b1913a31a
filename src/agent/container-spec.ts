import { StatusError } from '#base/errors.ts';
import type { ContainerSpec, MountRequest } from '#engine/runtime/container.ts';
import type { Digest, ImageConfig } from '#formats/oci.ts';
import type { Container, Pod } from '#kube/types/gen/core-v1.ts';

import { expandWords } from './environment/resolve-environment.ts';
import { oomScoreOf } from './security/limits-of.ts';
import { securityOf } from './security/security-of.ts';

export interface ContainerParts {
  readonly pod: Pod;
  readonly container: Container;
  readonly image: { readonly id: Digest; readonly config: ImageConfig };
  /** The pod's sandbox. */
  readonly sandboxId: string;
  /** What `resolveEnvironment` gave. */
  readonly environment: ReadonlyMap<string, string>;
  readonly mounts: readonly MountRequest[];
  /** How often it was started before. */
  readonly attempt: number;
  readonly cgroupParent: string;
  /** Of the machine. */
  readonly memoryBytes: number;
  /** ID of the container whose processes it sees; undefined: only its own. */
  readonly processesOf?: string;
  /** The text of a seccomp profile of this node by its relative path. */
  readonly readProfile: (path: string) => string;
}

/** By what a container of the engine is found to be a pod's, in dockershim's words. */
export const containerLabels = {
  namespace: 'io.kubernetes.pod.namespace',
  pod: 'io.kubernetes.pod.name',
  uid: 'io.kubernetes.pod.uid',
  container: 'io.kubernetes.container.name',
  attempt: 'io.kubernetes.container.restartCount',
} as const;

const shmSizeBytes = 64 * 1024 ** 2;
const defaultGraceSeconds = 30;
const hostnameMost = 63;

/** The engine's name of a container of a pod. */
export function engineName({ metadata }: Pod, container: string, attempt: number): string {
  const { name = '', namespace = '', uid = '' } = metadata;
  return ['k8s', container, name, namespace, uid, String(attempt)].join('_');
}

/** What the machine of a pod is called, for those in it. */
export function hostnameOf({ metadata, spec }: Pod): string {
  return (spec?.hostname ?? metadata.name ?? '').slice(0, hostnameMost);
}

/**
 * What the engine makes a container of a pod from. It never restarts by itself: its node decides that. Throws in upstream's
 * words what the pod shows as CreateContainerConfigError.
 */
export function containerSpecOf(parts: ContainerParts): ContainerSpec {
  const { pod, container, image, sandboxId, environment, attempt } = parts;
  const { metadata, spec, status } = pod;
  const defaults = image.config.config ?? {};
  const onHost = spec?.hostNetwork === true;
  return {
    ...securityOf(pod, container, defaults.User ?? '', parts.readProfile),
    imageId: image.id,
    imageName: container.image ?? '',
    args: commandOf(container, defaults, environment),
    env: mergedEnvironment(defaults.Env ?? [], environment),
    cwd: container.workingDir ?? defaults.WorkingDir ?? '',
    tty: container.tty === true,
    openStdin: container.stdin === true,
    stdinOnce: container.stdinOnce === true,
    hostname: onHost ? '' : hostnameOf(pod),
    domainname: '',
    labels: {
      ...defaults.Labels,
      [containerLabels.namespace]: metadata.namespace ?? '',
      [containerLabels.pod]: metadata.name ?? '',
      [containerLabels.uid]: metadata.uid ?? '',
      [containerLabels.container]: container.name ?? '',
      [containerLabels.attempt]: String(attempt),
    },
    stopSignal: container.lifecycle?.stopSignal ?? defaults.StopSignal ?? '',
    stopTimeoutSeconds: spec?.terminationGracePeriodSeconds ?? defaultGraceSeconds,
    ulimits: [],
    sysctls: {},
    devices: [],
    shmSizeBytes,
    oomScoreAdj: oomScoreOf(container, status?.qosClass, parts.memoryBytes),
    init: false,
    pidMode: pidModeOf(pod, parts.processesOf),
    ipcMode: `sandbox:${sandboxId}`,
    utsMode: onHost ? 'host' : '',
    cgroupnsMode: '',
    cgroupParent: parts.cgroupParent,
    mounts: [...parts.mounts, ...imageVolumes(Object.keys(defaults.Volumes ?? {}), parts.mounts)],
    network: {
      mode: 'container',
      shareWith: sandboxId,
      endpoints: [],
      ports: [],
      dns: { servers: [], search: [], options: [] },
      extraHosts: [],
    },
    restart: { name: 'no', maximumRetryCount: 0 },
    autoRemove: false,
    log: { driver: 'json-file', options: {} },
    origin: undefined,
  };
}

/** A command of the pod's replaces both the image's entrypoint and its arguments. */
function commandOf(
  { command = [], args = [] }: Container,
  defaults: { readonly Entrypoint?: readonly string[] | null; readonly Cmd?: readonly string[] | null },
  environment: ReadonlyMap<string, string>,
): readonly string[] {
  const own = [expandWords(command, environment), expandWords(args, environment)] as const;
  const words =
    command.length > 0
      ? [...own[0], ...own[1]]
      : [...(defaults.Entrypoint ?? []), ...(args.length > 0 ? own[1] : (defaults.Cmd ?? []))];
  if (words.length === 0) throw new StatusError('InvalidArgument', 'no command specified');
  return words;
}

/** The image's variables with the container's over them. */
function mergedEnvironment(image: readonly string[], own: ReadonlyMap<string, string>): readonly string[] {
  const kept = image.filter((line) => !own.has(line.split('=', 1)[0] ?? ''));
  return [...kept, ...[...own].map(([name, value]) => `${name}=${value}`)];
}

function pidModeOf({ spec }: Pod, processesOf: string | undefined): string {
  if (spec?.hostPID === true) return 'host';
  return processesOf === undefined ? '' : `container:${processesOf}`;
}

/** What the image keeps outside of its layers lies in volumes that go with the container. */
function imageVolumes(paths: readonly string[], mounts: readonly MountRequest[]): readonly MountRequest[] {
  const taken = new Set(mounts.map(({ target }) => target));
  return paths
    .filter((target) => !taken.has(target))
    .map((target) => ({ type: 'volume', source: '', target, readOnly: false }));
}
