import type { Pod } from '#kube/types/gen/core-v1.ts';
import { goQuoted } from '#kube/validation/faults.ts';

/** What pods may set: it stays within their own namespaces and harms nobody beside them (kubelet's safe list of 1.34). */
const safe: ReadonlySet<string> = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
]);

export type SysctlsOfPod =
  | { readonly sysctls: Readonly<Record<string, string>> }
  /** The pod must fail with the reason SysctlForbidden and this message. */
  | { readonly forbidden: string };

/** The kernel parameters that the pod's sandbox gets. */
export function sysctlsOf({ spec }: Pod): SysctlsOfPod {
  const sysctls: Record<string, string> = {};
  for (const { name: written = '', value = '' } of spec?.securityContext?.sysctls ?? []) {
    const name = dotted(written);
    const isOnHost = (name.startsWith('net.') && spec?.hostNetwork) === true;
    if (isOnHost) return { forbidden: `forbidden sysctl: ${goQuoted(name)} not allowed with host net enabled` };
    if (name.startsWith('kernel.shm') && spec?.hostIPC === true)
      return { forbidden: `forbidden sysctl: ${goQuoted(name)} not allowed with host ipc enabled` };
    if (!safe.has(name)) return { forbidden: `forbidden sysctl: ${goQuoted(name)} not allowlisted` };
    sysctls[name] = value;
  }
  return { sysctls };
}

/** sysctl(8) takes `/` and `.` as separators, whichever comes first. */
function dotted(name: string): string {
  const separator = /[./]/.exec(name)?.[0];
  return separator === '/' ? name.replaceAll(/[./]/g, (one) => (one === '/' ? '.' : '/')) : name;
}
