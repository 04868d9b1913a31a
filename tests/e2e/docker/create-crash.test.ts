import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { sleep } from '#base/clock.ts';
import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';

let instance: Instance;
/** Moments of the kill, from the first container's start to after the last one's end. */
const killAfterMs = [60, 150];

before(async () => {
  instance = await openInstance();
});
after(async () => instance?.destroy());

test('whenever the daemon is killed, no anonymous volume is left of a container that was not made', async () => {
  for (const delayMs of killAfterMs) {
    const creates = Array.from({ length: 4 }, async () => instance.docker('create', '-v', '/data', 'busybox'));
    await sleep(delayMs, new AbortController().signal);
    await instance.kill9();
    const acknowledged = (await Promise.all(creates))
      .filter(({ code }) => code === 0)
      .map(({ stdout }) => stdout.trim());
    await instance.start();
    const ids = (await instance.dockerOutput('ps', '-aq', '--no-trunc')).split('\n').filter(Boolean);
    for (const id of acknowledged) assert.ok(ids.includes(id), id);
    const template = '{{range .Mounts}}{{.Name}} {{end}}';
    const held = ids.length === 0 ? '' : await instance.dockerOutput('inspect', '-f', template, ...ids);
    const volumes = await instance.dockerOutput('volume', 'ls', '-q');
    assert.deepEqual(volumes.split('\n').filter(Boolean).sort(), held.split(/\s+/).filter(Boolean).sort());
  }
  const made = await instance.dockerOutput('create', '-v', '/data', 'busybox');
  await instance.dockerOutput('rm', made);
  await instance.restart();
  const kept = await instance.dockerOutput('volume', 'ls', '-q', '--filter', 'dangling=true');
  assert.equal(kept.split('\n').length, 1);
});
