import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import type { RuntimeSeccomp } from './runtime-spec.ts';
import { customSeccomp, defaultSeccomp, type SeccompContext } from './seccomp.ts';

const plain: SeccompContext = { capabilities: new Set(), arch: 'x64', kernel: [6, 1] };

function allows(profile: RuntimeSeccomp, name: string): boolean {
  const rules = profile.syscalls.filter((rule) => rule.names.includes(name));
  return rules.some((rule) => rule.action === 'SCMP_ACT_ALLOW' && rule.args === undefined);
}

test('the default profile lets programs run and nothing take the machine over', () => {
  const profile = defaultSeccomp(plain);
  assert.equal(profile.defaultAction, 'SCMP_ACT_ERRNO');
  assert.deepEqual(profile.architectures, ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86']);
  for (const name of ['read', 'execve', 'openat2', 'clone', 'futex_waitv', 'arch_prctl', 'ptrace'])
    assert.ok(name === 'clone' || allows(profile, name), name);
  for (const name of ['mount', 'bpf', 'setns', 'unshare', 'reboot', 'kexec_load', 'init_module', 'add_key', 'iopl'])
    assert.ok(!allows(profile, name), name);
});

test('clone makes no namespaces, and clone3 is not there, unless CAP_SYS_ADMIN is held', () => {
  const clone = defaultSeccomp(plain).syscalls.find((rule) => rule.names.includes('clone'));
  assert.deepEqual(clone?.args, [{ index: 0, op: 'SCMP_CMP_MASKED_EQ', value: 0x7e020000 }]);
  const clone3 = defaultSeccomp(plain).syscalls.find((rule) => rule.names.includes('clone3'));
  assert.deepEqual([clone3?.action, clone3?.errnoRet], ['SCMP_ACT_ERRNO', 38]);
  const admin = defaultSeccomp({ ...plain, capabilities: new Set(['CAP_SYS_ADMIN']) });
  for (const name of ['clone', 'clone3', 'mount', 'setns']) assert.ok(allows(admin, name), name);
  assert.ok(!admin.syscalls.some((rule) => rule.names.includes('clone') && rule.args !== undefined));
});

test('sockets of the hypervisor and of the kernel crypto stay shut', () => {
  const rules = defaultSeccomp(plain).syscalls.filter((rule) => rule.names.includes('socket'));
  const families = rules.flatMap((rule) => rule.args ?? []);
  assert.ok(families.some((argument) => argument.op === 'SCMP_CMP_LT' && argument.value === 12));
  for (const family of [38, 40]) assert.ok(!families.some((argument) => argument.value === family), String(family));
});

test('capabilities, machine and kernel open what belongs to them', () => {
  assert.ok(allows(defaultSeccomp({ ...plain, capabilities: new Set(['CAP_SYS_CHROOT']) }), 'chroot'));
  assert.ok(!allows(defaultSeccomp({ ...plain, kernel: [4, 7] }), 'ptrace'));
  const arm = defaultSeccomp({ ...plain, arch: 'arm64' });
  assert.ok(allows(arm, 'sync_file_range2') && !allows(arm, 'arch_prctl'));
});

test("a profile in Docker's format is resolved", () => {
  const text = JSON.stringify({
    defaultAction: 'SCMP_ACT_ALLOW',
    archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] }],
    syscalls: [
      { names: ['chmod'], action: 'SCMP_ACT_ERRNO', errnoRet: 13 },
      { name: 'mkdir', action: 'SCMP_ACT_ERRNO', args: [] },
      { names: ['a'], action: 'SCMP_ACT_ERRNO', includes: { caps: ['CAP_SYS_ADMIN'] } },
      { names: ['b'], action: 'SCMP_ACT_ERRNO', excludes: { arches: ['amd64'] } },
      { names: ['c'], action: 'SCMP_ACT_ERRNO', includes: { minKernel: '6.2' } },
      { names: ['d'], action: 'SCMP_ACT_ERRNO', includes: { arches: ['amd64'], minKernel: '5.0' } },
    ],
  });
  const profile = customSeccomp(text, plain);
  assert.deepEqual(
    profile.syscalls.flatMap((rule) => rule.names),
    ['chmod', 'mkdir', 'd'],
  );
  assert.equal(profile.syscalls[0]?.errnoRet, 13);
  assert.deepEqual(profile.architectures, ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86']);
});

test('what is no profile is refused', () => {
  for (const text of [
    '',
    '{',
    '[]',
    '{}',
    '{"defaultAction":"x","syscalls":3}',
    '{"defaultAction":"x","syscalls":[{}]}',
  ])
    assert.throws(() => customSeccomp(text, plain), { reason: 'InvalidArgument' }, text);
  fc.assert(
    fc.property(fc.json(), (text) => {
      try {
        customSeccomp(text, plain);
      } catch (error) {
        assert.equal((error as { reason?: string }).reason, 'InvalidArgument');
      }
    }),
    { numRuns: 200 },
  );
});
