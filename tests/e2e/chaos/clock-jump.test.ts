import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { eventually } from '../../kit/eventually.ts';
import { Instance } from '../../kit/instance.ts';
import { makeRoot } from '../../kit/temp-root.ts';

const hourMs = 3_600_000;

/** Loaded before the daemon: the time of the machine, shifted by what a file says now, as when somebody sets the clock. */
const shift = (path: string): string => `
import { readFileSync } from 'node:fs';
const now = Date.now.bind(Date);
Date.now = () => now() + Number(readFileSync(${JSON.stringify(path)}, 'utf8'));
`;

test('a clock that goes back an hour and forward again stops nothing, also over a kill of the daemon', async (t) => {
  const instance = new Instance(makeRoot(), {});
  t.after(async () => await instance.destroy());
  const [offset, preload] = [join(instance.root, 'offset'), join(instance.root, 'shift.mjs')];
  const setClock = (ms: number): void => writeFileSync(offset, String(ms));
  setClock(0);
  writeFileSync(preload, shift(offset));
  const start = async (): Promise<void> => {
    process.env['NODE_OPTIONS'] = `--import ${preload}`;
    try {
      await instance.start();
    } finally {
      delete process.env['NODE_OPTIONS'];
    }
  };
  await start();
  await instance.loadBusybox();
  const run = (name: string, ...args: readonly string[]): Promise<string> =>
    instance.dockerOutput('run', '-d', '--name', name, ...args);
  const inspect = (name: string, format: string): Promise<string> =>
    instance.dockerOutput('inspect', '-f', format, name);
  const lasting = ['busybox', 'sleep', '1000000'];
  await run('steady', ...lasting);
  await run('checked', '--health-cmd', 'echo x >> /checks', '--health-interval', '0.2s', ...lasting);
  await run('again', '--restart', 'always', 'busybox', 'sh', '-c', 'sleep 0.1; exit 1');
  const life = await inspect('steady', '{{.State.Pid}} {{.State.StartedAt}}');

  const allGoesOn = async (when: string): Promise<void> => {
    const restarts = Number(await inspect('again', '{{.RestartCount}}'));
    const checks = async (): Promise<number> =>
      (await instance.dockerOutput('exec', 'checked', 'sh', '-c', 'touch /checks; cat /checks')).split('\n').length;
    const before = await checks();
    await eventually(`health checks go on ${when}`, async () => (await checks()) > before + 1);
    await instance.dockerOutput('restart', '-t', '0', 'again');
    await eventually(`the policy restarts ${when}`, async () => {
      const now = Number(await inspect('again', '{{.RestartCount}}'));
      return now > 0 && now !== restarts;
    });
    assert.equal(await inspect('checked', '{{.State.Health.Status}}'), 'healthy');
    assert.equal(await inspect('steady', '{{.State.Pid}} {{.State.StartedAt}}'), life);
    assert.equal(await instance.dockerOutput('run', '--rm', 'busybox', 'echo', 'new'), 'new');
    await run('stubborn', 'busybox', 'sh', '-c', 'trap "" TERM; while :; do sleep 1; done');
    await instance.dockerOutput('stop', '-t', '1', 'stubborn');
    assert.equal(await inspect('stubborn', '{{.State.ExitCode}}'), '137');
    await instance.dockerOutput('rm', 'stubborn');
    const text = 'FROM busybox\nRUN echo cached\n';
    const build = await instance.dockerWith({ stdin: text }, 'build', '-');
    assert.equal(build.code, 0, build.stderr);
    const ps = await instance.dockerOutput('ps', '-a', '--format', '{{.Names}} {{.Status}}');
    assert.match(ps, /^steady Up /m);
  };
  await allGoesOn('before');
  for (const ms of [-hourMs, 0, hourMs, -hourMs]) {
    setClock(ms);
    await allGoesOn(`at ${String(ms / hourMs)} h`);
  }
  await instance.kill9();
  setClock(0);
  await start();
  await allGoesOn('in the next daemon');
  await instance.kill9();
  setClock(-hourMs);
  await start();
  await allGoesOn('in one that begins an hour earlier');
});
