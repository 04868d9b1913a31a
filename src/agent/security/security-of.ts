import { StatusError } from '#base/errors.ts';
import type { ContainerSpec } from '#engine/runtime/container.ts';
import type { AppArmorProfile, Container, Pod, SeccompProfile } from '#kube/types/gen/core-v1.ts';
import { goQuoted } from '#kube/validation/faults.ts';

import { limitsOf } from './limits-of.ts';

type Secured = Pick<
  ContainerSpec,
  | 'user'
  | 'additionalGroups'
  | 'privileged'
  | 'readOnlyRoot'
  | 'capAdd'
  | 'capDrop'
  | 'securityOptions'
  | 'limits'
  | 'maskedPaths'
  | 'readonlyPaths'
  | 'usernsMode'
>;

/**
 * What the security contexts of a pod and of one container make of it; `imageUser` is the image's own `user[:group]`, and
 * `readProfile` gives the text of a seccomp profile of this node by its relative path. Throws Forbidden where the container
 * must not run as root and would, or might, in upstream's words.
 */
export function securityOf(
  pod: Pod,
  container: Container,
  imageUser: string,
  readProfile: (path: string) => string,
): Secured {
  const whole = pod.spec?.securityContext ?? {};
  const own = container.securityContext ?? {};
  checkNonRoot(pod, container, imageUser);
  const privileged = own.privileged === true;
  const groups = [...(whole.supplementalGroups ?? []), ...(whole.fsGroup === undefined ? [] : [whole.fsGroup])];
  const isUnmasked = own.procMount === 'Unmasked';
  return {
    user: userOf(own.runAsUser ?? whole.runAsUser, own.runAsGroup ?? whole.runAsGroup, imageUser),
    additionalGroups: [...new Set(groups.map(String))],
    privileged,
    readOnlyRoot: own.readOnlyRootFilesystem === true,
    capAdd: own.capabilities?.add ?? [],
    capDrop: own.capabilities?.drop ?? [],
    securityOptions: [
      ...(own.allowPrivilegeEscalation === false ? ['no-new-privileges'] : []),
      ...seccompOptions(own.seccompProfile ?? whole.seccompProfile, privileged, readProfile),
      ...appArmorOptions(own.appArmorProfile ?? whole.appArmorProfile, privileged),
    ],
    limits: limitsOf(container),
    ...(isUnmasked && { maskedPaths: [], readonlyPaths: [] }),
    ...(pod.spec?.hostUsers !== false && { usernsMode: 'host' }),
  };
}

function userOf(user: number | undefined, group: number | undefined, imageUser: string): string {
  if (user === undefined && group === undefined) return imageUser;
  const [imageName = ''] = imageUser.split(':');
  const name = user === undefined ? imageName || '0' : String(user);
  return group === undefined ? name : `${name}:${String(group)}`;
}

function checkNonRoot(pod: Pod, container: Container, imageUser: string): void {
  const whole = pod.spec?.securityContext ?? {};
  const own = container.securityContext ?? {};
  if ((own.runAsNonRoot ?? whole.runAsNonRoot) !== true) return;
  const { name = '', namespace = '', uid = '' } = pod.metadata;
  const who = `(pod: ${goQuoted(`${name}_${namespace}(${uid})`)}, container: ${container.name ?? ''})`;
  const user = own.runAsUser ?? whole.runAsUser;
  if (user === 0) throw new StatusError('Forbidden', `container's runAsUser breaks non-root policy ${who}`);
  if (user !== undefined) return;
  const [imageName = ''] = imageUser.split(':');
  if (imageName === '' || /^0+$/.test(imageName))
    throw new StatusError('Forbidden', `container has runAsNonRoot and image will run as root ${who}`);
  if (!/^\d+$/.test(imageName))
    throw new StatusError(
      'Forbidden',
      `container has runAsNonRoot and image has non-numeric user (${imageName}), cannot verify user is non-root ${who}`,
    );
}

/** Without a word containers of pods are not filtered, as upstream has it. */
function seccompOptions(
  profile: SeccompProfile | undefined,
  privileged: boolean,
  readProfile: (path: string) => string,
): readonly string[] {
  if (privileged || profile === undefined || profile.type === 'Unconfined') return ['seccomp=unconfined'];
  return profile.type === 'Localhost' ? [`seccomp=${readProfile(profile.localhostProfile ?? '')}`] : [];
}

function appArmorOptions(profile: AppArmorProfile | undefined, privileged: boolean): readonly string[] {
  if (profile?.type === 'Localhost') return [`apparmor=${profile.localhostProfile ?? ''}`];
  return privileged || profile?.type === 'Unconfined' ? ['apparmor=unconfined'] : [];
}
