import { absolutePath, byteSize, listenAddress, listOf, registryHost } from '../setting.ts';

export const registrySettings = {
  listen: {
    type: listenAddress,
    summary: 'where the built-in registry listens; anywhere but on loopback it needs TLS and htpasswdPath',
    default: '',
    defaultText: 'nowhere: it is off',
  },
  certificatePath: {
    type: absolutePath,
    summary: 'its certificate with the chain, PEM; it speaks TLS then',
    default: '',
    defaultText: 'none',
  },
  keyPath: {
    type: absolutePath,
    summary: 'the key of its certificate, PEM',
    default: '',
    defaultText: 'none',
  },
  htpasswdPath: {
    type: absolutePath,
    summary: 'who may use it: lines name:hash as htpasswd -B writes them',
    default: '',
    defaultText: 'none: everybody who reaches it',
  },
  upstreams: {
    type: listOf(registryHost, 'a list of registries as host[:port]'),
    summary: 'registries that it fetches from what it does not have; the first also for names without a registry',
    default: [],
    defaultText: 'none',
  },
  cacheBytes: {
    type: byteSize,
    summary: 'disk for what it fetched from upstreams',
    default: 20 * 1024 ** 3,
    defaultText: '20GiB',
  },
} as const;
