import type { StepRun } from '../build/builder.ts';
import type { SandboxRequest } from '../network/networks.ts';
import type { ContainerSpec } from './container.ts';

/** Docker's default size of /dev/shm. */
const defaultShmBytes = 64 * 1024 * 1024;

/** A build step as a container that has nothing but its command. */
export function stepContainer(step: StepRun): ContainerSpec {
  return {
    imageId: `sha256:${'0'.repeat(64)}`,
    imageName: '',
    args: step.args,
    // BuildKit's steps have no HOSTNAME: a name alone takes a variable away.
    env: ['HOSTNAME', ...step.env, ...step.secretEnv],
    cwd: step.cwd,
    user: step.user,
    additionalGroups: [],
    tty: false,
    openStdin: false,
    stdinOnce: false,
    hostname: step.hostname,
    domainname: '',
    labels: {},
    stopSignal: '',
    stopTimeoutSeconds: 0,
    privileged: step.privileged,
    readOnlyRoot: false,
    capAdd: [],
    capDrop: [],
    securityOptions: [],
    limits: step.limits,
    ulimits: step.ulimits ?? [],
    sysctls: {},
    devices: [],
    shmSizeBytes: step.shmSizeBytes === 0 ? defaultShmBytes : step.shmSizeBytes,
    oomScoreAdj: 0,
    init: false,
    pidMode: '',
    ipcMode: '',
    utsMode: '',
    cgroupnsMode: '',
    cgroupParent: '',
    mounts: [],
    network: {
      mode: networkMode(step.networkMode),
      endpoints: [],
      ports: [],
      dns: { servers: [], search: [], options: [] },
      extraHosts: step.extraHosts,
    },
    restart: { name: 'no', maximumRetryCount: 0 },
    autoRemove: true,
    log: { driver: 'none', options: {} },
    origin: undefined,
  };
}

/** The network of a build step: the default bridge unless it says otherwise. */
export function stepSandbox(id: string, step: StepRun): SandboxRequest {
  const mode = networkMode(step.networkMode);
  const named = step.networkMode === '' || step.networkMode === 'default' ? 'bridge' : step.networkMode;
  return {
    containerId: id,
    containerName: `build-${id.slice(0, 12)}`,
    hostname: step.hostname,
    domainname: '',
    mode,
    endpoints: mode === 'networks' ? [{ network: named }] : [],
    ports: [],
    dns: { servers: [], search: [], options: [] },
    extraHosts: step.extraHosts,
  };
}

function networkMode(mode: string): 'networks' | 'none' | 'host' {
  return mode === 'none' || mode === 'host' ? mode : 'networks';
}
