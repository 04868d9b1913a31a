import type { Container } from '#kube/types/gen/core-v1.ts';

import { image, type PodCase, podOf } from './pod-case.ts';

const busybox = { image, imagePullPolicy: 'Never' };
const init = (name: string, script: string): Container => ({
  ...busybox,
  name,
  command: ['sh', '-ec', script],
  volumeMounts: [{ name: 'v', mountPath: '/v' }],
});
const volume = { emptyDir: {} };
const messages = '[sig-node] Container Runtime blackbox test on terminated container should report termination message';
const fallback = { terminationMessagePolicy: 'FallbackToLogsOnError' };

/** Init containers, ends, names and kernel parameters. */
export const nodeCases: readonly PodCase[] = [
  {
    codename: '[sig-node] InitContainer should invoke init containers on a RestartNever pod',
    spec: podOf({
      volume,
      check: 'test "$(cat /v/x)" = "1 2"',
      spec: { initContainers: [init('one', 'printf 1 > /v/x'), init('two', 'printf " 2" >> /v/x')] },
    }),
  },
  {
    codename:
      '[sig-node] InitContainer should not start app containers and fail the pod if init containers fail on a RestartNever pod',
    spec: podOf({ volume, check: 'true', spec: { initContainers: [init('one', 'false')] } }),
    phase: 'Failed',
  },
  {
    codename: `${messages} from file when pod succeeds and TerminationMessagePolicy FallbackToLogsOnError is set`,
    spec: podOf({ container: fallback, check: 'printf OK > /dev/termination-log; echo log' }),
    message: 'OK',
  },
  {
    codename: `${messages} as empty when pod succeeds and TerminationMessagePolicy FallbackToLogsOnError is set`,
    spec: podOf({ container: fallback, check: 'echo log' }),
    message: '',
  },
  {
    codename: `${messages} from log output if TerminationMessagePolicy FallbackToLogsOnError is set`,
    spec: podOf({ container: fallback, check: 'printf DONE; exit 1' }),
    phase: 'Failed',
    message: 'DONE',
  },
  {
    codename: `${messages} if TerminationMessagePath is set as non-root user and at a non-default path`,
    spec: podOf({
      container: { terminationMessagePath: '/dev/custom-log', securityContext: { runAsUser: 1000 } },
      check: 'printf DONE > /dev/custom-log',
    }),
    message: 'DONE',
  },
  {
    codename: '[sig-node] Kubelet when scheduling a read only busybox container should not write to root filesystem',
    spec: podOf({
      container: { securityContext: { readOnlyRootFilesystem: true } },
      check: '! touch /x 2>/dev/null',
    }),
  },
  {
    codename: '[sig-node] Kubelet when scheduling a busybox Pod with hostAliases should write entries to /etc/hosts',
    spec: podOf({
      spec: { hostAliases: [{ ip: '123.45.67.89', hostnames: ['foo', 'bar'] }] },
      check: 'grep -q "123.45.67.89.*foo" /etc/hosts; grep -q "123.45.67.89.*bar" /etc/hosts',
    }),
  },
  {
    codename:
      '[sig-node] Kubelet when scheduling a busybox command that always fails in a pod should have an terminated reason',
    spec: podOf({ check: 'false' }),
    phase: 'Failed',
  },
  {
    codename: '[sig-node] Sysctls should support sysctls',
    spec: podOf({
      spec: { securityContext: { sysctls: [{ name: 'kernel.shm_rmid_forced', value: '1' }] } },
      check: 'test "$(cat /proc/sys/kernel/shm_rmid_forced)" = 1',
    }),
  },
  {
    codename: '[sig-network] DNS should support configurable pod DNS nameservers',
    spec: podOf({
      spec: { dnsPolicy: 'None', dnsConfig: { nameservers: ['1.1.1.1'], searches: ['resolv.conf.local'] } },
      check: 'grep -qx "nameserver 1.1.1.1" /etc/resolv.conf; grep -q "^search resolv.conf.local" /etc/resolv.conf',
    }),
  },
  {
    codename: '[sig-node] Pods should contain environment variables for services',
    spec: podOf({ check: 'test -n "$KUBERNETES_SERVICE_HOST"; test "$KUBERNETES_SERVICE_PORT" = 443' }),
  },
  {
    codename:
      '[sig-node] Container Lifecycle Hook when create a pod with lifecycle hook should execute poststart exec hook properly',
    spec: podOf({
      volume,
      container: { lifecycle: { postStart: { exec: { command: ['touch', '/v/started'] } } } },
      check: 'until test -e /v/started; do sleep 0.1; done',
    }),
  },
  {
    codename:
      "[sig-node] Security Context when if the container's primary UID belongs to some groups in the image should add pod.spec.securityContext.supplementalGroups to them",
    spec: podOf({
      spec: { securityContext: { runAsUser: 1000, supplementalGroups: [60000] } },
      check: 'id -G | grep -qw 60000',
    }),
  },
];
