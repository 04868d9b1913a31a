import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';

/** Where one instance of the platform lives. All paths are absolute. */
export interface InstancePaths {
  /** `/` unless moved. */
  readonly root: string;
  /** Durable state. */
  readonly data: string;
  /** Sockets and pinned namespaces; gone after a reboot. */
  readonly run: string;
  readonly configFile: string;
  /** Certificates of and for registries. */
  readonly certificates: string;
  /** For administrators; only root may read it. */
  readonly kubeconfig: string;
  /** Keys and certificates of the cluster. */
  readonly pki: string;
  /** What the Kubernetes API keeps. */
  readonly store: string;
  /** Where the machine's `subuid` and `subgid` are looked for: the root's own come first. */
  readonly etcFolders: readonly string[];
  readonly logFile: string;
  /** Held by the daemon for as long as it lives. */
  readonly lockFile: string;
  readonly controlSocket: string;
  readonly dockerSocket: string;
  /** Tells instances apart in the names of kernel objects: '' for the root `/`, else 4 of `[a-z0-9]`. */
  readonly instance: string;
}

const tagLength = 4;

export function instancePaths(root: string): InstancePaths {
  const absolute = resolve(root);
  const data = join(absolute, 'var/lib/slipway');
  const run = join(absolute, 'run/slipway');
  return {
    root: absolute,
    data,
    run,
    configFile: join(absolute, 'etc/slipway/slipway.yaml'),
    certificates: join(absolute, 'etc/slipway/certs.d'),
    kubeconfig: join(absolute, 'etc/slipway/admin.kubeconfig'),
    pki: join(data, 'pki'),
    store: join(data, 'store'),
    etcFolders: [join(absolute, 'etc'), '/etc'],
    logFile: join(data, 'log/slipway.log'),
    lockFile: join(data, 'slipway.lock'),
    controlSocket: join(run, 'slipway.sock'),
    dockerSocket: join(run, 'docker.sock'),
    instance: absolute === '/' ? '' : tagOf(absolute),
  };
}

function tagOf(root: string): string {
  const hash = createHash('sha256').update(root).digest().readUIntBE(0, 6);
  return (hash % 36 ** tagLength).toString(36).padStart(tagLength, '0');
}
