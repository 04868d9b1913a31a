import type { Sandbox, SandboxRequest } from '../network/networks.ts';

/** What the containers of a pod are to have in common. */
export interface PodSandboxRequest extends Pick<
  SandboxRequest,
  'hostname' | 'domainname' | 'endpoints' | 'ports' | 'dns' | 'extraHosts'
> {
  /** Of a pod, for lists. */
  readonly name: string;
  readonly network: 'own' | 'host';
  readonly ipc: 'own' | 'host';
  readonly shmSizeBytes: number;
  /** Of the namespaces that are its own: `net.*`, and those of System V IPC and POSIX message queues. */
  readonly sysctls: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** A pod's namespaces, pinned without a process in them. Containers join it by `network.shareWith` and `sandbox:<id>`. */
export interface PodSandbox {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly network: Sandbox;
  /** Path of the IPC namespace; undefined for the host's. */
  readonly ipcPath: string | undefined;
  /** Where what its containers have at /dev/shm is mounted. */
  readonly sharedMemory: string;
  /** Nanoseconds since the epoch. */
  readonly createdAtNs: string;
}

/** Sandboxes outlive this process, and end with the machine. */
export interface PodSandboxes {
  /** All or nothing. Throws what `Networks.open` throws, and InvalidArgument for a setting that the kernel refuses. */
  open(request: PodSandboxRequest, signal: AbortSignal): Promise<PodSandbox>;
  get(id: string): PodSandbox | undefined;
  list(): readonly PodSandbox[];
  /** Removes all of it (idempotent); containers must have ended. */
  close(id: string): Promise<void>;
}
