import type { Container, PodSpec } from '#kube/types/gen/core-v1.ts';

import {
  badContainers,
  containersOf,
  containersText,
  contextValues,
  quoted,
  settersText,
  sorted,
  type Check,
} from './check.ts';

/** Kinds of volumes that hold nothing of the node. */
const allowedVolumes = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
] as const;

/** What the restricted standard asks on top of the baseline, in the order of the rules' names. */
export const restrictedChecks: readonly Check[] = [
  {
    id: 'allowPrivilegeEscalation',
    since: 8,
    isForLinux: true,
    find: ({ spec }) => {
      const names = badContainers(spec, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false);
      if (names.length === 0) return undefined;
      const detail = `${containersText(names)} must set securityContext.allowPrivilegeEscalation=false`;
      return { reason: 'allowPrivilegeEscalation != false', detail };
    },
  },
  {
    id: 'capabilities_restricted',
    since: 22,
    replaces: 'capabilities_baseline',
    isForLinux: true,
    find: ({ spec }) => {
      const added = ({ securityContext }: Container): readonly string[] =>
        (securityContext?.capabilities?.add ?? []).filter((name) => name !== 'NET_BIND_SERVICE');
      const keeping = badContainers(spec, (one) => !(one.securityContext?.capabilities?.drop ?? []).includes('ALL'));
      const adding = badContainers(spec, (one) => added(one).length > 0);
      const details =
        keeping.length > 0 ? [`${containersText(keeping)} must set securityContext.capabilities.drop=["ALL"]`] : [];
      if (adding.length > 0) {
        const names = quoted(sorted(containersOf(spec).flatMap(added)));
        details.push(`${containersText(adding)} must not include ${names} in securityContext.capabilities.add`);
      }
      return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') };
    },
  },
  {
    id: 'restrictedVolumes',
    since: 0,
    replaces: 'hostPathVolumes',
    find: ({ spec }) => {
      const names = (spec.volumes ?? [])
        .filter((volume) => allowedVolumes.every((kind) => volume[kind] === undefined))
        .map(({ name = '' }) => name);
      if (names.length === 0) return undefined;
      const list = sorted(names)
        .map((name) => JSON.stringify(name))
        .join(' ');
      return { reason: 'restricted volume types', detail: `volumes [${list}] have restricted types` };
    },
  },
  {
    id: 'runAsNonRoot',
    since: 0,
    find: ({ spec }) => {
      const setters = settersText(spec, ({ runAsNonRoot }) => runAsNonRoot === false);
      const reason = 'runAsNonRoot != true';
      if (setters !== '') return { reason, detail: `${setters} must not set securityContext.runAsNonRoot=false` };
      const names = silent(
        spec,
        spec.securityContext?.runAsNonRoot === true,
        (one) => one.securityContext?.runAsNonRoot,
      );
      if (names.length === 0) return undefined;
      return { reason, detail: `pod or ${containersText(names)} must set securityContext.runAsNonRoot=true` };
    },
  },
  {
    id: 'runAsUser',
    since: 23,
    find: ({ spec }) => {
      const setters = settersText(spec, ({ runAsUser }) => runAsUser === 0);
      return setters === '' ? undefined : { reason: 'runAsUser=0', detail: `${setters} must not set runAsUser=0` };
    },
  },
  {
    id: 'seccompProfile_restricted',
    since: 19,
    replaces: 'seccompProfile_baseline',
    isForLinux: true,
    find: ({ spec }) => {
      const isGood = (type: string | undefined): boolean => type === 'Localhost' || type === 'RuntimeDefault';
      const setters = settersText(
        spec,
        ({ seccompProfile }) => seccompProfile !== undefined && !isGood(seccompProfile.type),
      );
      const reason = 'seccompProfile';
      if (setters !== '') {
        const types = contextValues(spec, ({ seccompProfile }) => seccompProfile?.type).filter((type) => !isGood(type));
        return {
          reason,
          detail: `${setters} must not set securityContext.seccompProfile.type to ${quoted(sorted(types))}`,
        };
      }
      const names = silent(
        spec,
        isGood(spec.securityContext?.seccompProfile?.type),
        (one) => one.securityContext?.seccompProfile,
      );
      if (names.length === 0) return undefined;
      const wanted = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"';
      return { reason, detail: `pod or ${containersText(names)} ${wanted}` };
    },
  },
];

/** Containers that say nothing where the pod says nothing either. */
function silent(spec: PodSpec, podSays: boolean, said: (container: Container) => unknown): readonly string[] {
  return podSays ? [] : badContainers(spec, (container) => said(container) === undefined);
}
