import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Container, PodSpec } from '#kube/types/gen/core-v1.ts';

import { limitsOf, oomScoreOf } from './limits-of.ts';
import { securityOf } from './security-of.ts';
import { sysctlsOf } from './sysctls.ts';

const metadata = { name: 'web', namespace: 'shop', uid: 'u-1' };

function secured(
  spec: PodSpec = {},
  container: Container['securityContext'] = {},
  imageUser = '',
): ReturnType<typeof securityOf> {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec };
  return securityOf(pod, { name: 'main', securityContext: container }, imageUser, (path) => `{"from":"${path}"}`);
}

test('without a word: the image decides who, and nothing is filtered', () => {
  assert.deepEqual(secured({}, {}, 'app:www'), {
    user: 'app:www',
    additionalGroups: [],
    privileged: false,
    readOnlyRoot: false,
    capAdd: [],
    capDrop: [],
    securityOptions: ['seccomp=unconfined'],
    limits: { cpuShares: 2 },
    usernsMode: 'host',
  });
});

test('users and groups: the container is asked before the pod, the pod before the image', () => {
  assert.equal(secured({ securityContext: { runAsUser: 1 } }, { runAsUser: 2 }, '3').user, '2');
  assert.equal(secured({ securityContext: { runAsUser: 1, runAsGroup: 9 } }, {}, '3:4').user, '1:9');
  assert.equal(secured({ securityContext: { runAsGroup: 9 } }, {}, 'app:4').user, 'app:9');
  assert.equal(secured({ securityContext: { runAsGroup: 9 } }).user, '0:9');
  const groups = { supplementalGroups: [5, 6], fsGroup: 6 };
  assert.deepEqual(secured({ securityContext: groups }).additionalGroups, ['5', '6']);
});

test('who must not be root is not started as root', () => {
  const must = { securityContext: { runAsNonRoot: true } };
  const who = '(pod: "web_shop(u-1)", container: main)';
  for (const [imageUser, own, message] of [
    ['', {}, `container has runAsNonRoot and image will run as root ${who}`],
    ['0:5', {}, `container has runAsNonRoot and image will run as root ${who}`],
    ['5', { runAsUser: 0 }, `container's runAsUser breaks non-root policy ${who}`],
    [
      'app',
      {},
      `container has runAsNonRoot and image has non-numeric user (app), cannot verify user is non-root ${who}`,
    ],
  ] as const)
    assert.throws(() => secured(must, own, imageUser), { message });
  assert.equal(secured(must, {}, '5').user, '5');
  assert.equal(secured(must, { runAsUser: 7 }).user, '7');
  assert.equal(secured(must, { runAsNonRoot: false }).user, '');
});

test('profiles, escalation, capabilities and masks', () => {
  const options = (spec: PodSpec, own: Container['securityContext']): readonly string[] =>
    secured(spec, own).securityOptions;
  assert.deepEqual(options({ securityContext: { seccompProfile: { type: 'RuntimeDefault' } } }, {}), []);
  assert.deepEqual(options({}, { seccompProfile: { type: 'Localhost', localhostProfile: 'a.json' } }), [
    'seccomp={"from":"a.json"}',
  ]);
  assert.deepEqual(options({}, { allowPrivilegeEscalation: false }), ['no-new-privileges', 'seccomp=unconfined']);
  assert.deepEqual(options({}, { privileged: true }), ['seccomp=unconfined', 'apparmor=unconfined']);
  assert.deepEqual(options({}, { appArmorProfile: { type: 'Localhost', localhostProfile: 'mine' } }), [
    'seccomp=unconfined',
    'apparmor=mine',
  ]);
  const more = secured(
    { hostUsers: false },
    { procMount: 'Unmasked', capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] } },
  );
  assert.deepEqual(
    [more.maskedPaths, more.usernsMode, more.capAdd, more.capDrop],
    [[], undefined, ['NET_ADMIN'], ['ALL']],
  );
});

test('requests become shares, limits become quotas', () => {
  const limits = { cpu: '500m', memory: '64Mi' };
  const bytes = 64 * 2 ** 20;
  const cpu = { cpuPeriodUs: 100_000, cpuQuotaUs: 50_000 };
  assert.deepEqual(limitsOf({ resources: { limits, requests: { cpu: '250m' } } }), {
    cpuShares: 256,
    ...cpu,
    memoryBytes: bytes,
    memorySwapBytes: bytes,
  });
  assert.deepEqual(limitsOf({ resources: { limits: { cpu: '500m' } } }), { cpuShares: 512, ...cpu });
  assert.deepEqual(limitsOf({ resources: { limits: { cpu: '1m' } } }).cpuQuotaUs, 1000);
  const asks = { resources: { requests: { memory: '1Gi' } } };
  const scores = ['Guaranteed', 'Burstable', 'BestEffort'].map((name) => oomScoreOf(asks, name, 4 * 2 ** 30));
  assert.deepEqual(scores, [-997, 750, 1000]);
  assert.equal(oomScoreOf({}, 'Burstable', 4 * 2 ** 30), 999);
});

test('safe sysctls are set, others make the pod fail', () => {
  const of = (name: string, spec: PodSpec = {}): unknown =>
    sysctlsOf({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: { ...spec, securityContext: { sysctls: [{ name, value: '1' }] } },
    });
  assert.deepEqual(of('kernel.shm_rmid_forced'), { sysctls: { 'kernel.shm_rmid_forced': '1' } });
  assert.deepEqual(of('net/ipv4/tcp_syncookies'), { sysctls: { 'net.ipv4.tcp_syncookies': '1' } });
  assert.deepEqual(of('kernel.msgmax'), { forbidden: 'forbidden sysctl: "kernel.msgmax" not allowlisted' });
  assert.deepEqual(of('net.ipv4.tcp_syncookies', { hostNetwork: true }), {
    forbidden: 'forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host net enabled',
  });
});
