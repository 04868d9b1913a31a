import type {
  AppArmorProfile,
  PodSecurityContext,
  PodSpec,
  SeccompProfile,
  SecurityContext,
} from '../../types/gen/core-v1.ts';
import { duplicate, forbidden, invalid, notSupported, required, tooLong } from '../faults.ts';
import type { Faults } from '../object-meta.ts';
import { choiceFaults } from '../values.ts';
import { descendingPathFaults } from './paths.ts';

const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined'];
const largestId = 2 ** 31 - 1;
const profileBytesMost = 4095;
const sysctlName = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;
const sysctlNameMost = 253;

/** The security context of a container. `isHostUser`: users in the pod are those of the node. */
export function* securityFaults(context: SecurityContext | undefined, path: string, isHostUser: boolean): Faults {
  if (context === undefined) return;
  yield* idFaults(context.runAsUser, `${path}.runAsUser`);
  yield* idFaults(context.runAsGroup, `${path}.runAsGroup`);
  yield* choiceFaults(`${path}.procMount`, context.procMount, ['Default', 'Unmasked']);
  if (isHostUser && context.procMount === 'Unmasked')
    yield invalid(`${path}.procMount`, context.procMount, '`hostUsers` must be false to use `Unmasked`');
  yield* seccompFaults(context.seccompProfile, `${path}.seccompProfile`);
  if (context.allowPrivilegeEscalation === false) {
    const cannot = 'cannot set `allowPrivilegeEscalation` to false and';
    if (context.privileged === true) yield invalid(path, context, `${cannot} \`privileged\` to true`);
    if ((context.capabilities?.add ?? []).includes('CAP_SYS_ADMIN'))
      yield invalid(path, context, `${cannot} \`capabilities.Add\` CAP_SYS_ADMIN`);
  }
  yield* appArmorFaults(context.appArmorProfile, `${path}.appArmorProfile`);
}

/** The security context of a pod, and what depends on it. */
export function* podSecurityFaults(spec: PodSpec, path: string): Faults {
  const context = spec.securityContext ?? {};
  const at = `${path}.securityContext`;
  yield* idFaults(context.fsGroup, `${at}.fsGroup`);
  yield* idFaults(context.runAsUser, `${at}.runAsUser`);
  yield* idFaults(context.runAsGroup, `${at}.runAsGroup`);
  for (const [index, id] of (context.supplementalGroups ?? []).entries())
    yield* idFaults(id, `${at}.supplementalGroups[${String(index)}]`);
  if (spec.shareProcessNamespace === true && spec.hostPID === true)
    yield invalid(`${at}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled');
  yield* sysctlFaults(context, spec, `${at}.sysctls`);
  yield* choiceFaults(`${at}.fsGroupChangePolicy`, context.fsGroupChangePolicy, ['Always', 'OnRootMismatch']);
  yield* seccompFaults(context.seccompProfile, `${at}.seccompProfile`);
  yield* appArmorFaults(context.appArmorProfile, `${at}.appArmorProfile`);
  yield* choiceFaults(`${at}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy, ['Merge', 'Strict']);
  yield* choiceFaults(`${at}.seLinuxChangePolicy`, context.seLinuxChangePolicy, ['MountOption', 'Recursive']);
}

export function* hostUserFaults(spec: PodSpec, path: string): Faults {
  if (spec.hostUsers !== false) return;
  const why = 'when `pod.Spec.HostUsers` is false';
  if (spec.hostNetwork === true) yield forbidden(`${path}.hostNetwork`, why);
  if (spec.hostPID === true) yield forbidden(`${path}.HostPID`, why);
  if (spec.hostIPC === true) yield forbidden(`${path}.HostIPC`, why);
}

function* idFaults(id: number | undefined, path: string): Faults {
  if (id !== undefined && (id < 0 || id > largestId))
    yield invalid(path, id, `must be between 0 and ${String(largestId)}, inclusive`);
}

function* sysctlFaults(context: PodSecurityContext, spec: PodSpec, path: string): Faults {
  const seen = new Set<string>();
  for (const [index, { name = '' }] of (context.sysctls ?? []).entries()) {
    const at = `${path}[${String(index)}].name`;
    if (name === '') yield required(at);
    else if (name.length > sysctlNameMost || !sysctlName.test(name))
      yield invalid(at, name, `must have at most 253 characters and match regex ${sysctlName.source}`);
    else if (seen.has(name)) yield duplicate(at, name);
    seen.add(name);
    const canonical = name.replaceAll('/', '.');
    if (spec.hostNetwork === true && canonical.startsWith('net.'))
      yield invalid(at, name, "may not be specified when 'hostNetwork' is true");
    if (spec.hostIPC === true && /^(kernel\.(shm|msg|sem)|fs\.mqueue\.)/.test(canonical))
      yield invalid(at, name, "may not be specified when 'hostIPC' is true");
  }
}

function* seccompFaults(profile: SeccompProfile | undefined, path: string): Faults {
  if (profile === undefined) return;
  const { type = '', localhostProfile } = profile;
  if (type === '') yield required(`${path}.type`, 'type is required when seccompProfile is set');
  else if (!profileTypes.includes(type)) yield notSupported(`${path}.type`, type, profileTypes);
  if (type !== 'Localhost') {
    if (localhostProfile !== undefined)
      yield invalid(`${path}.localhostProfile`, profile, 'can only be set when seccomp type is Localhost');
  } else if (localhostProfile === undefined)
    yield required(`${path}.localhostProfile`, 'must be set when seccomp type is Localhost');
  else yield* descendingPathFaults(`${path}.localhostProfile`, localhostProfile);
}

function* appArmorFaults(profile: AppArmorProfile | undefined, path: string): Faults {
  if (profile === undefined) return;
  const { type = '', localhostProfile } = profile;
  const at = `${path}.localhostProfile`;
  if (type === '') yield required(`${path}.type`, 'type is required when appArmorProfile is set');
  else if (!profileTypes.includes(type)) yield notSupported(`${path}.type`, type, profileTypes);
  else if (type !== 'Localhost') {
    if (localhostProfile !== undefined)
      yield invalid(at, localhostProfile, 'can only be set when AppArmor type is Localhost');
  } else if ((localhostProfile ?? '') === '') yield required(at, 'must be set when AppArmor type is Localhost');
  else if (localhostProfile?.trim() !== localhostProfile)
    yield invalid(at, localhostProfile, 'must not be padded with whitespace');
  else if ((localhostProfile?.length ?? 0) > profileBytesMost) yield tooLong(at, profileBytesMost);
}
