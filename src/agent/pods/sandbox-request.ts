import type { PodSandboxRequest } from '#engine/sandboxes/pod-sandboxes.ts';
import type { DnsSettings, PortRequest } from '#engine/network/networks.ts';
import type { Pod } from '#kube/types/gen/core-v1.ts';

import { containerLabels, hostnameOf } from '../container-spec.ts';
import type { PodTools } from './pod-tools.ts';

const shmSizeBytes = 64 * 1024 ** 2;

/** What the containers of a pod have in common: network, names, ports of the host, kernel parameters. */
export function sandboxRequest(
  pod: Pod,
  sysctls: Readonly<Record<string, string>>,
  node: PodTools['node'],
): PodSandboxRequest {
  const { metadata, spec } = pod;
  const { name = '', namespace = '', uid = '' } = metadata;
  const onHost = spec?.hostNetwork === true;
  const { subdomain = '' } = spec ?? {};
  return {
    name: `${name}.${namespace}`,
    hostname: hostnameOf(pod),
    domainname: subdomain === '' ? '' : `${subdomain}.${namespace}.svc.${node.domain}`,
    network: onHost ? 'host' : 'own',
    ipc: spec?.hostIPC === true ? 'host' : 'own',
    endpoints: onHost ? [] : [{ network: node.network }],
    ports: onHost ? [] : portsOf(spec),
    dns: dnsOf(spec, namespace, node),
    extraHosts: (spec?.hostAliases ?? []).flatMap(({ ip = '', hostnames = [] }) =>
      hostnames.map((one) => `${one}:${ip}`),
    ),
    shmSizeBytes,
    sysctls,
    labels: {
      [containerLabels.namespace]: namespace,
      [containerLabels.pod]: name,
      [containerLabels.uid]: uid,
    },
  };
}

function portsOf(spec: Pod['spec']): readonly PortRequest[] {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  return containers.flatMap(({ ports = [] }) =>
    ports
      .filter(({ hostPort = 0 }) => hostPort > 0)
      .map(({ hostPort = 0, containerPort = 0, hostIP = '', protocol = 'TCP' }) => ({
        containerPort,
        protocol: protocol.toLowerCase() as PortRequest['protocol'],
        hostIp: hostIP,
        hostPort,
        hostPortEnd: hostPort,
      })),
  );
}

/** ClusterFirst asks the cluster's DNS, Default and pods on the host's network what the host asks; dnsConfig adds to it. */
function dnsOf(spec: Pod['spec'], namespace: string, { dnsServer, domain }: PodTools['node']): DnsSettings {
  const { dnsPolicy = 'ClusterFirst', dnsConfig = {}, hostNetwork = false } = spec ?? {};
  const isCluster = dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy === 'ClusterFirst' && !hostNetwork);
  const options = (dnsConfig.options ?? []).map(({ name = '', value }) =>
    value === undefined ? name : `${name}:${value}`,
  );
  const own = { servers: dnsConfig.nameservers ?? [], search: dnsConfig.searches ?? [], options };
  if (!isCluster) return own;
  const search = [`${namespace}.svc.${domain}`, `svc.${domain}`, domain];
  const hasDots = options.some((option) => option.startsWith('ndots:'));
  return {
    servers: [...new Set([dnsServer, ...own.servers])],
    search: [...new Set([...search, ...own.search])],
    options: [...(hasDots ? [] : ['ndots:5']), ...options],
  };
}
