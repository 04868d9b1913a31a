import { StatusError } from '#base/errors.ts';

/** The names of Linux's capabilities by their number (include/uapi/linux/capability.h). */
export const capabilityNames = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
] as const;

/** What a container has when nothing is said: Docker's default set. */
const defaultMask = 0xa80425fbn;

/** The capabilities whose bits are set in a mask as `/proc/<pid>/status` shows it. */
export function capabilitiesOf(mask: bigint): ReadonlySet<string> {
  return new Set(capabilityNames.filter((_, bit) => ((mask >> BigInt(bit)) & 1n) === 1n));
}

export interface CapabilityRequest {
  readonly privileged: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
}

/**
 * The capabilities of a container, in the kernel's order. `ALL` and `--privileged` mean all that this daemon may hand
 * on (`available`); one that is asked for by name and not available is refused, as runc would fail on it without a
 * hint. Throws InvalidArgument for unknown names.
 */
export function resolveCapabilities(request: CapabilityRequest, available: ReadonlySet<string>): readonly string[] {
  const add = request.capAdd.map((name) => normalize(name, 'CapAdd'));
  const drop = request.capDrop.map((name) => normalize(name, 'CapDrop'));
  const granted = new Set<string>();
  if (request.privileged || add.includes('ALL')) for (const name of available) granted.add(name);
  else if (!drop.includes('ALL')) for (const name of capabilitiesOf(defaultMask)) granted.add(name);
  if (!request.privileged) for (const name of drop) granted.delete(name);
  for (const name of add) {
    if (name === 'ALL') continue;
    if (!available.has(name)) {
      throw new StatusError(
        'InvalidArgument',
        `Cannot add capability ${name}: the daemon itself runs without it; leave it away or give it to the daemon`,
      );
    }
    granted.add(name);
  }
  return capabilityNames.filter((name) => granted.has(name) && available.has(name));
}

function normalize(name: string, where: string): string {
  const upper = name.toUpperCase();
  if (upper === 'ALL' || upper === 'CAP_ALL') return 'ALL';
  const full = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  if ((capabilityNames as readonly string[]).includes(full)) return full;
  throw new StatusError('InvalidArgument', `invalid ${where}: unknown capability: "${name}"`);
}
