import type { VerbRow } from './verb.ts';

/** Every verb, in the order of help; `test` is the shell script's own. */
export const verbs: readonly VerbRow[] = [
  {
    name: 'up',
    summary: 'start the platform in the background and wait until it is healthy',
    load: async () => (await import('./verbs/up.ts')).up,
  },
  {
    name: 'down',
    summary: 'stop the containers and the platform',
    load: async () => (await import('./verbs/down.ts')).down,
  },
  {
    name: 'status',
    summary: 'show what runs and where its sockets are',
    load: async () => (await import('./verbs/status.ts')).status,
  },
  {
    name: 'logs',
    summary: "print the platform's own log",
    load: async () => (await import('./verbs/logs.ts')).logs,
  },
  {
    name: 'doctor',
    summary: 'check this machine and say how to fix what is wrong',
    load: async () => (await import('./verbs/doctor.ts')).doctor,
  },
  {
    name: 'exposed',
    summary: 'show what can be reached, from where, and which rule lets it in',
    load: async () => (await import('./verbs/exposed.ts')).exposed,
  },
  {
    name: 'image bootstrap',
    summary: 'make a base image from the mirror of a distribution, without any registry',
    load: async () => (await import('./verbs/image-bootstrap.ts')).imageBootstrap,
  },
  {
    name: 'image verify',
    summary: 'compare the layers of images on this disk with their digests',
    load: async () => (await import('./verbs/image-verify.ts')).imageVerify,
  },
  {
    name: 'container set',
    summary: 'change ports, mounts, variables, limits or the image of a container',
    load: async () => (await import('./verbs/container-set.ts')).containerSet,
  },
  {
    name: 'volume backup',
    summary: 'write what is in a volume to a file',
    load: async () => (await import('./verbs/volume-backup.ts')).volumeBackup,
  },
  {
    name: 'volume restore',
    summary: 'fill a volume from a file',
    load: async () => (await import('./verbs/volume-restore.ts')).volumeRestore,
  },
  {
    name: 'volume resize',
    summary: 'give a volume with a size more room',
    load: async () => (await import('./verbs/volume-resize.ts')).volumeResize,
  },
  {
    name: 'gc',
    summary: 'remove what nobody uses and is beyond its budget, or show what would go and why',
    load: async () => (await import('./verbs/gc.ts')).gc,
  },
  {
    name: 'registry status',
    summary: 'show where the built-in registry listens and what it keeps',
    load: async () => (await import('./verbs/registry-status.ts')).registryStatus,
  },
  {
    name: 'registry gc',
    summary: 'remove what no manifest of the built-in registry names any more',
    load: async () => (await import('./verbs/registry-gc.ts')).registryGc,
  },
  {
    name: 'store verify',
    summary: 'read all of the store of the Kubernetes API and say what is wrong',
    load: async () => (await import('./verbs/store-verify.ts')).storeVerify,
  },
  {
    name: 'store backup',
    summary: 'write the store of the Kubernetes API to a file',
    load: async () => (await import('./verbs/store-backup.ts')).storeBackup,
  },
  {
    name: 'store restore',
    summary: 'put a backup in the place of the store of the Kubernetes API',
    load: async () => (await import('./verbs/store-restore.ts')).storeRestore,
  },
  {
    name: 'kubectl',
    summary: 'run kubectl against the Kubernetes API of this platform',
    load: async () => (await import('./verbs/kubectl.ts')).kubectl,
  },
  {
    name: 'config explain',
    summary: 'show every setting in force and which source it came from',
    load: async () => (await import('./verbs/config-explain.ts')).configExplain,
  },
  {
    name: 'daemon',
    summary: 'run the platform in the foreground, for a service manager',
    load: async () => (await import('./verbs/daemon.ts')).daemon,
  },
  {
    name: 'version',
    summary: 'print the version',
    load: async () => (await import('./verbs/version.ts')).version,
  },
];
