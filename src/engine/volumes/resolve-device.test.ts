import assert from 'node:assert/strict';
import { test } from 'node:test';

import { resolveDevice } from './resolve-device.ts';

const resolve = async (name: string): Promise<string> => (name === 'files' ? '10.0.0.9' : 'fd00::9');

test('resolveDevice() gives nfs the address of its server', async () => {
  const options = { type: 'nfs', device: ':/export', o: 'addr=files,rw,vers=4' };
  assert.deepEqual(await resolveDevice(options, resolve), {
    device: ':/export',
    words: ['addr=10.0.0.9', 'rw', 'vers=4'],
  });
  const fixed = { type: 'nfs', device: ':/export', o: 'addr=10.1.1.1' };
  assert.deepEqual(await resolveDevice(fixed, resolve), { device: ':/export', words: ['addr=10.1.1.1'] });
});

test('resolveDevice() gives cifs the address in its device, unless addr names one', async () => {
  const share = { type: 'cifs', device: '//files/a share', o: 'username=u,password=p' };
  assert.equal((await resolveDevice(share, resolve)).device, '//10.0.0.9/a share');
  const named = { ...share, o: 'addr=files' };
  assert.deepEqual(await resolveDevice(named, resolve), { device: '//files/a share', words: ['addr=10.0.0.9'] });
  assert.equal((await resolveDevice({ ...share, device: '//10.2.2.2/x' }, resolve)).device, '//10.2.2.2/x');
  assert.equal((await resolveDevice({ ...share, device: '//[fd00::1]/x' }, resolve)).device, '//[fd00::1]/x');
});

test('resolveDevice() leaves other filesystems alone', async () => {
  const options = { type: 'ext4', device: '/dev/sdz1', o: 'addr=files' };
  assert.deepEqual(await resolveDevice(options, resolve), { device: '/dev/sdz1', words: ['addr=files'] });
});
