import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { nowNs } from '#base/clock.ts';
import { messageOf, StatusError } from '#base/errors.ts';
import { newId } from '#base/ids.ts';
import type { Logger } from '#base/logger.ts';
import { hasCode } from '#sys/errno.ts';
import { mountTmpfs, unmountTree } from '#sys/mounts.ts';
import { inNamespace, isPinned, type NamespaceKind, pinNamespace } from '#sys/pinned-namespace.ts';

import type { Networks, SandboxRequest } from '../network/networks.ts';
import type { PodSandbox, PodSandboxes, PodSandboxRequest } from './pod-sandboxes.ts';

export interface PodSandboxOptions {
  /** This room's own folder; it need not survive a reboot. */
  readonly folder: string;
  readonly networks: Networks;
  readonly logger: Logger;
}

/** What every pod has, so that it may listen on all ports and ping without being root (containerd's default). */
const unprivileged = { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647' };
const ownMemory = ['mode=1777'] as const;

/** Opens the sandboxes that an earlier process left; those whose namespaces are gone are forgotten. */
export function openPodSandboxes(options: PodSandboxOptions): PodSandboxes {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  const sandboxes = new LocalPodSandboxes(options);
  sandboxes.load();
  return sandboxes;
}

class LocalPodSandboxes implements PodSandboxes {
  readonly #options: PodSandboxOptions;
  readonly #sandboxes = new Map<string, PodSandbox>();

  constructor(options: PodSandboxOptions) {
    this.#options = options;
  }

  load(): void {
    for (const id of readdirSync(this.#options.folder)) {
      const sandbox = readRecord(join(this.#options.folder, id, 'record.json'));
      if (sandbox !== undefined && isWhole(sandbox)) this.#sandboxes.set(id, sandbox);
      else this.#removeFolder(id);
    }
  }

  get(id: string): PodSandbox | undefined {
    return this.#sandboxes.get(id);
  }

  list(): readonly PodSandbox[] {
    return [...this.#sandboxes.values()];
  }

  async open(request: PodSandboxRequest, signal: AbortSignal): Promise<PodSandbox> {
    const { networks, folder: all } = this.#options;
    const id = newId();
    const folder = join(all, id);
    await using undo = new AsyncDisposableStack();
    undo.defer(() => this.#removeFolder(id));
    mkdirSync(folder, { mode: 0o700 });
    const ownIpc = request.ipc === 'own';
    const ipcPath = ownIpc ? join(folder, 'ipc') : undefined;
    const sharedMemory = ownIpc ? join(folder, 'shm') : '/dev/shm';
    if (ipcPath !== undefined) {
      pinNamespace('ipc', ipcPath);
      mkdirSync(sharedMemory);
      mountTmpfs(sharedMemory, [...ownMemory, `size=${String(request.shmSizeBytes)}`].join(','), [
        'nosuid',
        'nodev',
        'noexec',
      ]);
    }
    const network = await networks.open(networkRequest(id, request), signal);
    undo.defer(async () => networks.close(id));
    const sandbox: PodSandbox = {
      id,
      labels: request.labels,
      network,
      ipcPath,
      sharedMemory,
      createdAtNs: String(nowNs()),
    };
    writeSysctls(sandbox, request.sysctls);
    writeRecord(join(folder, 'record.json'), sandbox);
    this.#sandboxes.set(id, sandbox);
    undo.move();
    return sandbox;
  }

  async close(id: string): Promise<void> {
    await this.#options.networks.close(id);
    this.#removeFolder(id);
    this.#sandboxes.delete(id);
  }

  #removeFolder(id: string): void {
    const folder = join(this.#options.folder, id);
    unmountTree(folder);
    rmSync(folder, { recursive: true, force: true });
  }
}

function networkRequest(id: string, request: PodSandboxRequest): SandboxRequest {
  const { name, network, hostname, domainname, endpoints, ports, dns, extraHosts } = request;
  const isOwn = network === 'own';
  return {
    containerId: id,
    containerName: name,
    hostname,
    domainname,
    mode: isOwn ? 'networks' : 'host',
    endpoints: isOwn ? endpoints : [],
    ports: isOwn ? ports : [],
    dns,
    extraHosts,
  };
}

/** The namespaces that it had are there: a reboot takes them, and leaves the folder where that is on a disk. */
function isWhole({ network, ipcPath }: PodSandbox): boolean {
  const isThere = (kind: NamespaceKind, path: string | undefined): boolean =>
    path === undefined || isPinned(kind, path);
  return isThere('net', network.netnsPath) && isThere('ipc', ipcPath);
}

function writeSysctls({ network: { netnsPath }, ipcPath }: PodSandbox, wanted: PodSandboxRequest['sysctls']): void {
  const all = Object.entries({ ...unprivileged, ...wanted });
  const write = (entries: typeof all): void => entries.forEach(writeSysctl);
  const ofNetwork = all.filter(([name]) => name.startsWith('net.'));
  if (netnsPath !== undefined) inNamespace('net', netnsPath, () => write(ofNetwork));
  if (ipcPath !== undefined) inNamespace('ipc', ipcPath, () => write(all.filter(([name]) => !name.startsWith('net.'))));
}

function writeSysctl([name, value]: readonly [string, string]): void {
  // Dots separate, and slashes stand for the dots in names of interfaces (sysctl(8)).
  const path = name.replaceAll(/[./]/g, (one) => (one === '.' ? '/' : '.'));
  try {
    writeFileSync(join('/proc/sys', path), value);
  } catch (error) {
    throw new StatusError(
      'InvalidArgument',
      `Cannot set sysctl "${name}" to "${value}": ${messageOf(error)}; see what the kernel takes in /proc/sys/${path}`,
      { cause: error },
    );
  }
}

function writeRecord(path: string, sandbox: PodSandbox): void {
  writeFileSync(`${path}.new`, JSON.stringify(sandbox), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

function readRecord(path: string): PodSandbox | undefined {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as Partial<PodSandbox> | null;
    const isRecord = typeof value?.id === 'string' && typeof value.network?.containerId === 'string';
    return isRecord && typeof value.sharedMemory === 'string' ? (value as PodSandbox) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
