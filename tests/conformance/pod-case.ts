import type { Container, PodSpec, Volume, VolumeMount } from '#kube/types/gen/core-v1.ts';

/** A conformance test of Kubernetes as a pod that checks itself: its script ends well, or the pod says what is wanted. */
export interface PodCase {
  /** As upstream's list of conformance tests calls it. */
  readonly codename: string;
  readonly spec: PodSpec;
  /** What the pod must come to; Succeeded when left out. */
  readonly phase?: 'Failed';
  /** Why its container waits, where it must not start. */
  readonly waiting?: string;
  /** What its container says of its end. */
  readonly message?: string;
}

export const image = 'busybox:latest';

export interface Wanted {
  readonly check: string;
  readonly volume?: Volume;
  readonly mount?: VolumeMount;
  readonly container?: Container;
  readonly spec?: PodSpec;
}

/** A pod of one container with at most one volume at `/v`. */
export function podOf({ check, volume, mount, container, spec }: Wanted): PodSpec {
  const volumeMounts = volume === undefined ? [] : [{ name: 'v', mountPath: '/v', ...mount }];
  const command = ['sh', '-ec', check];
  const main = { name: 'main', image, imagePullPolicy: 'Never', command, volumeMounts, ...container };
  const volumes = volume === undefined ? [] : [{ name: 'v', ...volume }];
  return { restartPolicy: 'Never', terminationGracePeriodSeconds: 1, volumes, containers: [main], ...spec };
}

export const is = (path: string, value: string): string => `test "$(cat ${path})" = '${value}'`;
export const mode = (path: string, value: string): string => `test "$(stat -Lc %a ${path})" = ${value}`;
