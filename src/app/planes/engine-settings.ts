import { logDrivers } from '#engine/logs/log-config.ts';
import { runtimeNames } from '#engine/runtime/oci-runtimes.ts';

import {
  absolutePath,
  addressPool,
  byteSize,
  choice,
  hostAddress,
  hostList,
  listOf,
  mirrorTable,
  proxyUrl,
  remappedUser,
  registryHost,
  textMap,
  yesOrNo,
} from '../setting.ts';

export const engineSettings = {
  runtime: {
    type: choice('auto', ...runtimeNames),
    summary:
      'the OCI runtime of containers that name none; auto: crun where it is installed and can be used, else runc',
    default: 'auto',
  },
  crunPath: {
    type: absolutePath,
    summary: 'the runtime crun',
    default: '',
    defaultText: 'crun on PATH',
  },
  runcPath: {
    type: absolutePath,
    summary: 'the runtime runc',
    default: '',
    defaultText: 'runc on PATH',
  },
  conmonPath: {
    type: absolutePath,
    summary: 'the monitor that holds a running container',
    default: '',
    defaultText: 'conmon on PATH',
  },
  usernsRemap: {
    type: remappedUser,
    summary:
      'whose subordinate users and groups (/etc/subuid, /etc/subgid) containers run as, so that their root is nobody here; default: those of dockremap',
    default: '',
    defaultText: 'root in a container is root',
  },
  addressPools: {
    type: listOf(addressPool, 'a list of address pools, in text address/len:size with commas between'),
    summary: 'where networks without a subnet of their own take one from; IPv6 is unique local when no pool is IPv6',
    default: [
      ...Array.from({ length: 15 }, (_, index) => ({ base: `172.${String(17 + index)}.0.0/16`, size: 16 })),
      { base: '192.168.0.0/16', size: 20 },
    ],
    defaultText: '172.17.0.0/16 to 172.31.0.0/16 whole, then 192.168.0.0/16 in /20',
  },
  publishAddress: {
    type: hostAddress,
    summary: 'host address of published ports that name none, such as 127.0.0.1',
    default: '',
    defaultText: 'all addresses',
  },
  respectHostFirewall: {
    type: yesOrNo,
    summary: 'whether published ports pass the input rules of the host (ufw, firewalld), by a relay that hides clients',
    default: false,
  },
  insecureRegistries: {
    type: listOf(registryHost, 'a list of registries as host[:port]'),
    summary: 'registries that may be spoken to without TLS; loopback always may',
    default: [],
    defaultText: 'none',
  },
  mirrors: {
    type: mirrorTable,
    summary:
      'addresses that a pull asks before the registry itself, in order, by registry (docker.io, *.corp.example, *)',
    default: {},
    defaultText: 'none',
  },
  certificatesPath: {
    type: absolutePath,
    summary: 'folders host[:port] with ca.crt, client.cert and client.key for registries',
    default: '',
    defaultText: '/etc/slipway/certs.d below the root',
  },
  blobCacheBytes: {
    type: byteSize,
    summary: 'disk for compressed layers as they came, so that a push elsewhere keeps the digest; 0 keeps none',
    default: 4 * 1024 ** 3,
    defaultText: '4GiB, at most half of the free disk',
  },
  httpProxy: {
    type: proxyUrl,
    summary: 'the proxy for http, of pulls, pushes and ADD; never for loopback',
    default: '',
    defaultText: 'HTTP_PROXY of the environment',
  },
  httpsProxy: {
    type: proxyUrl,
    summary: 'the proxy for https',
    default: '',
    defaultText: 'HTTPS_PROXY of the environment',
  },
  noProxy: {
    type: hostList,
    summary: 'hosts that are asked without a proxy, with commas between',
    default: '',
    defaultText: 'NO_PROXY of the environment',
  },
  logDriver: {
    type: choice(...logDrivers),
    summary: 'where containers log that name no driver of their own',
    default: 'json-file',
  },
  logOpts: {
    type: textMap,
    summary: 'options of that driver, for containers that use it; options on the local copy hold for all drivers',
    default: {},
    defaultText: 'none',
  },
  journalSocket: {
    type: absolutePath,
    summary: "the socket of systemd's journal, for the log driver journald",
    default: '/run/systemd/journal/socket',
  },
} as const;
