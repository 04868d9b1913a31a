import type { Container, LifecycleHandler, Probe, SELinuxOptions } from '#kube/types/gen/core-v1.ts';

import {
  badContainers,
  containersOf,
  containersText,
  contextValues,
  plural,
  quoted,
  settersText,
  sorted,
  type Check,
  type Finding,
} from './check.ts';

const appArmorAnnotation = 'container.apparmor.security.beta.kubernetes.io/';
const allowedCapabilities = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);

/** Kernel parameters that are safe, and the version since which they count as that. */
const safeSysctls: Readonly<Record<string, number>> = {
  'kernel.shm_rmid_forced': 0,
  'net.ipv4.ip_local_port_range': 0,
  'net.ipv4.tcp_syncookies': 0,
  'net.ipv4.ping_group_range': 0,
  'net.ipv4.ip_unprivileged_port_start': 0,
  'net.ipv4.ip_local_reserved_ports': 27,
  'net.ipv4.tcp_keepalive_time': 29,
  'net.ipv4.tcp_fin_timeout': 29,
  'net.ipv4.tcp_keepalive_intvl': 29,
  'net.ipv4.tcp_keepalive_probes': 29,
  'net.ipv4.tcp_rmem': 32,
  'net.ipv4.tcp_wmem': 32,
};

/** The baseline: what lets a container out, in the order of the rules' names. */
export const baselineChecks: readonly Check[] = [
  { id: 'appArmorProfile', since: 0, find: ({ metadata, spec }) => findAppArmor(metadata.annotations ?? {}, spec) },
  {
    id: 'capabilities_baseline',
    since: 0,
    find: ({ spec }) => {
      const forbidden = (container: Container): readonly string[] =>
        (container.securityContext?.capabilities?.add ?? []).filter((name) => !allowedCapabilities.has(name));
      const names = badContainers(spec, (container) => forbidden(container).length > 0);
      if (names.length === 0) return undefined;
      const added = quoted(sorted(containersOf(spec).flatMap(forbidden)));
      const detail = `${containersText(names)} must not include ${added} in securityContext.capabilities.add`;
      return { reason: 'non-default capabilities', detail };
    },
  },
  {
    id: 'hostNamespaces',
    since: 0,
    find: ({ spec }) => {
      const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field] === true);
      if (used.length === 0) return undefined;
      return { reason: 'host namespaces', detail: used.map((field) => `${field}=true`).join(', ') };
    },
  },
  {
    id: 'hostPathVolumes',
    since: 0,
    find: ({ spec }) => {
      const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath !== undefined).map(({ name = '' }) => name);
      if (names.length === 0) return undefined;
      return { reason: 'hostPath volumes', detail: `${plural('volume', names.length)} ${quoted(names)}` };
    },
  },
  {
    id: 'hostPorts',
    since: 0,
    find: ({ spec }) => {
      const portsOf = ({ ports = [] }: Container): readonly number[] =>
        ports.map(({ hostPort = 0 }) => hostPort).filter((port) => port !== 0);
      const names = badContainers(spec, (container) => portsOf(container).length > 0);
      if (names.length === 0) return undefined;
      const ports = sorted(containersOf(spec).flatMap(portsOf).map(String));
      const uses = names.length === 1 ? 'uses' : 'use';
      const detail = `${containersText(names)} ${uses} ${plural('hostPort', ports.length)} ${ports.join(', ')}`;
      return { reason: 'hostPort', detail };
    },
  },
  { id: 'hostProbesAndHostLifecycle', since: 34, find: ({ spec }) => findHosts(containersOf(spec)) },
  {
    id: 'privileged',
    since: 0,
    find: ({ spec }) => {
      const names = badContainers(spec, ({ securityContext }) => securityContext?.privileged === true);
      if (names.length === 0) return undefined;
      return { reason: 'privileged', detail: `${containersText(names)} must not set securityContext.privileged=true` };
    },
  },
  {
    id: 'procMount',
    since: 0,
    find: ({ spec }) => {
      const typeOf = ({ securityContext }: Container): string => securityContext?.procMount ?? 'Default';
      const names = badContainers(spec, (container) => typeOf(container) !== 'Default');
      if (names.length === 0) return undefined;
      const types = sorted(containersOf(spec).map(typeOf)).filter((type) => type !== 'Default');
      return {
        reason: 'procMount',
        detail: `${containersText(names)} must not set securityContext.procMount to ${quoted(types)}`,
      };
    },
  },
  {
    id: 'seLinuxOptions',
    since: 0,
    find: ({ spec }, minor) => {
      const types = [
        '',
        'container_t',
        'container_init_t',
        'container_kvm_t',
        ...(minor >= 31 ? ['container_engine_t'] : []),
      ];
      const isBadType = ({ type = '' }: SELinuxOptions): boolean => !types.includes(type);
      const isBad = (options: SELinuxOptions): boolean =>
        isBadType(options) || (options.user ?? '') !== '' || (options.role ?? '') !== '';
      const setters = settersText(spec, ({ seLinuxOptions }) => seLinuxOptions !== undefined && isBad(seLinuxOptions));
      if (setters === '') return undefined;
      const all = contextValues(spec, ({ seLinuxOptions }) => seLinuxOptions);
      const bad = sorted(all.filter(isBadType).map(({ type = '' }) => type));
      const data = bad.length > 0 ? [`${plural('type', bad.length)} ${quoted(bad)}`] : [];
      if (all.some(({ user = '' }) => user !== '')) data.push('user may not be set');
      if (all.some(({ role = '' }) => role !== '')) data.push('role may not be set');
      return {
        reason: 'seLinuxOptions',
        detail: `${setters} set forbidden securityContext.seLinuxOptions: ${data.join('; ')}`,
      };
    },
  },
  {
    id: 'seccompProfile_baseline',
    since: 19,
    find: ({ spec }) => {
      const isBad = (type: string | undefined): boolean => type !== 'Localhost' && type !== 'RuntimeDefault';
      const setters = settersText(
        spec,
        ({ seccompProfile }) => seccompProfile !== undefined && isBad(seccompProfile.type),
      );
      if (setters === '') return undefined;
      const types = contextValues(spec, ({ seccompProfile }) => seccompProfile?.type).filter(isBad);
      const detail = `${setters} must not set securityContext.seccompProfile.type to ${quoted(sorted(types))}`;
      return { reason: 'seccompProfile', detail };
    },
  },
  {
    id: 'sysctls',
    since: 0,
    find: ({ spec }, minor) => {
      const names = (spec.securityContext?.sysctls ?? [])
        .map(({ name = '' }) => name)
        .filter((name) => (safeSysctls[name] ?? Infinity) > minor);
      return names.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: names.join(', ') };
    },
  },
  {
    id: 'windowsHostProcess',
    since: 0,
    find: ({ spec }) => {
      const setters = settersText(spec, ({ windowsOptions }) => windowsOptions?.hostProcess === true);
      if (setters === '') return undefined;
      return {
        reason: 'hostProcess',
        detail: `${setters} must not set securityContext.windowsOptions.hostProcess=true`,
      };
    },
  },
];

function findAppArmor(
  annotations: Readonly<Record<string, string>>,
  spec: Parameters<typeof settersText>[0],
): Finding | undefined {
  const isBad = (type: string | undefined): boolean => type !== 'RuntimeDefault' && type !== 'Localhost';
  const setters = settersText(
    spec,
    ({ appArmorProfile }) => appArmorProfile !== undefined && isBad(appArmorProfile.type),
  );
  const types = contextValues(spec, ({ appArmorProfile }) => appArmorProfile?.type).filter(isBad);
  const noted = Object.entries(annotations)
    .filter(([key, value]) => key.startsWith(appArmorAnnotation) && !/^$|^runtime\/default$|^localhost\//.test(value))
    .map(([key, value]) => `${key}="${value}"`);
  const all = setters === '' ? [] : [setters];
  if (noted.length > 0) all.push(plural('annotation', noted.length));
  if (all.length === 0) return undefined;
  const values = sorted([...types, ...noted]);
  return {
    reason: plural('forbidden AppArmor profile', values.length),
    detail: `${all.join(' and ')} must not set AppArmor profile type to ${quoted(values)}`,
  };
}

/** Probes and hooks that ask another host than the pod. */
function findHosts(containers: readonly Container[]): Finding | undefined {
  const hostsOf = (container: Container): readonly string[] => {
    const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
    const all: readonly (Probe | LifecycleHandler | undefined)[] = [
      livenessProbe,
      readinessProbe,
      startupProbe,
      lifecycle?.postStart,
      lifecycle?.preStop,
    ];
    return all.flatMap((one) => [one?.httpGet?.host ?? '', one?.tcpSocket?.host ?? '']).filter((host) => host !== '');
  };
  const names = sorted(containers.filter((one) => hostsOf(one).length > 0).map(({ name = '' }) => name));
  if (names.length === 0) return undefined;
  const hosts = sorted(containers.flatMap(hostsOf));
  const uses = names.length === 1 ? 'uses' : 'use';
  return {
    reason: 'probe or lifecycle host',
    detail: `${containersText(names)} ${uses} ${plural('probe or lifecycle host', hosts.length)} ${quoted(hosts)}`,
  };
}
