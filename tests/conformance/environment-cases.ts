import { type PodCase, podOf } from './pod-case.ts';

const resources = { limits: { cpu: '1250m', memory: '64Mi' }, requests: { cpu: '250m', memory: '32Mi' } };
const env = (name: string, valueFrom: object): object => ({ name, valueFrom });
const fieldRef = (fieldPath: string): object => ({ fieldRef: { fieldPath } });
const ask = (name: string): object => env('X', { resourceFieldRef: { resource: name } });

export const environmentCases: readonly PodCase[] = [
  row(
    '[sig-node] ConfigMap should be consumable via environment variable',
    { env: [env('X', { configMapKeyRef: { name: 'settings', key: 'data-1' } })] },
    'test "$X" = value-1',
  ),
  row(
    '[sig-node] ConfigMap should be consumable via the environment',
    { envFrom: [{ configMapRef: { name: 'settings' }, prefix: 'p_' }, { configMapRef: { name: 'letters' } }] },
    'tr "\\0" "\\n" < /proc/1/environ | grep -q "^p_data-1=value-1"; test "$letter" = a',
  ),
  row(
    '[sig-node] Secrets should be consumable from pods in env vars',
    { env: [env('X', { secretKeyRef: { name: 'keys', key: 'data-1' } })] },
    'test "$X" = value-1',
  ),
  row(
    '[sig-node] Secrets should be consumable via the environment',
    { envFrom: [{ secretRef: { name: 'keys' }, prefix: 'p_' }] },
    'tr "\\0" "\\n" < /proc/1/environ | grep -q "^p_data-1=value-1"',
  ),
  row(
    '[sig-node] Downward API should provide pod name, namespace and IP address as env vars',
    {
      env: [
        env('A', fieldRef('metadata.name')),
        env('B', fieldRef('metadata.namespace')),
        env('C', fieldRef('status.podIP')),
      ],
    },
    'test "$A" = "$(hostname)"; test "$B" = conformance; ip addr | grep -q "inet $C/"',
  ),
  row(
    '[sig-node] Downward API should provide host IP as an env var',
    { env: [env('X', fieldRef('status.hostIP'))] },
    'test -n "$X"',
  ),
  row(
    '[sig-node] Downward API should provide hostIPs as an env var',
    { env: [env('X', fieldRef('status.hostIPs'))] },
    'test -n "$X"',
  ),
  row(
    '[sig-node] Downward API should provide pod UID as env vars',
    { env: [env('X', fieldRef('metadata.uid'))] },
    'test "${#X}" = 36',
  ),
  row(
    '[sig-node] Downward API should provide default limits.cpu/memory from node allocatable',
    { env: [ask('limits.memory')] },
    'test "$X" -gt 1000000',
  ),
  row(
    "[sig-node] Downward API should provide container's limits.cpu/memory and requests.cpu/memory as env vars",
    { env: [ask('requests.memory')], resources },
    'test "$X" = 33554432',
  ),
  row(
    '[sig-node] Variable Expansion should allow composing env vars into new env vars',
    {
      env: [
        { name: 'A', value: 'a' },
        { name: 'X', value: '$(A);;$$(A)' },
      ],
    },
    'test "$X" = "a;;\\$$(A)"',
  ),
  row(
    "[sig-node] Variable Expansion should allow substituting values in a container's command",
    { env: [{ name: 'A', value: 'a' }], command: ['sh', '-c', 'test "$(A)" = a'] },
    '',
  ),
  row(
    "[sig-node] Variable Expansion should allow substituting values in a container's args",
    { env: [{ name: 'A', value: 'a' }], command: ['sh', '-c'], args: ['test "$(A)" = a'] },
    '',
  ),
  row(
    "[sig-node] Containers should be able to override the image's default command and arguments",
    { command: ['test'], args: ['x', '=', 'x'] },
    '',
  ),
  row(
    '[sig-node] Security Context When creating a container with runAsUser should run the container with uid 65534',
    { securityContext: { runAsUser: 65534 } },
    'test "$(id -u)" = 65534',
  ),
  row(
    '[sig-node] Security Context When creating a pod with privileged should run the container as unprivileged when false',
    { securityContext: { privileged: false } },
    '! ip link add dummy0 type dummy 2>/dev/null',
  ),
  row(
    '[sig-node] Security Context When creating a pod with readOnlyRootFilesystem should run the container with writable rootfs when readOnlyRootFilesystem=false',
    { securityContext: { readOnlyRootFilesystem: false } },
    'touch /x',
  ),
  row(
    '[sig-node] Security Context when creating containers with AllowPrivilegeEscalation should not allow privilege escalation when false',
    { securityContext: { allowPrivilegeEscalation: false, runAsUser: 1000 } },
    'grep -q "NoNewPrivs:.*1" /proc/self/status',
  ),
];

function row(codename: string, container: object, check: string): PodCase {
  return { codename, spec: podOf({ check, container }) };
}
