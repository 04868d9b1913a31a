// Containers run while Slipway is replaced: an older tree at another path starts the platform, this one takes it over.
// SLIPWAY_UPGRADE_FROM names a tree of an older version; without it a copy of this tree stands in for one.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { deadline, sleep } from '#base/clock.ts';

import { command } from '../../kit/command.ts';
import { eventually } from '../../kit/eventually.ts';
import { Instance } from '../../kit/instance.ts';
import { makeRoot } from '../../kit/temp-root.ts';
import { repository } from '../../kit/tools.ts';

const hour = deadline(3_600_000);

/** The path of the older tree's program. */
function olderShim(t: TestContext): string {
  const given = process.env['SLIPWAY_UPGRADE_FROM'];
  if (given !== undefined) return join(given, 'bin/slipway');
  const folder = mkdtempSync(join(tmpdir(), 'slipway-older-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of ['bin', 'src', 'package.json'])
    cpSync(join(repository, name), join(folder, name), { recursive: true });
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'));
  const manifest = join(folder, 'package.json');
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(/"version": "[^"]*"/, '"version": "0.0.1"'));
  return join(folder, 'bin/slipway');
}

/** Asks for a page again and again; tells how many answers came, and what went wrong. */
function ask(port: string): { readonly failures: unknown[]; stop(): Promise<number> } {
  const ended = new AbortController();
  const failures: unknown[] = [];
  const asking = (async (): Promise<number> => {
    let answers = 0;
    for (; !ended.signal.aborted; answers += 1) {
      try {
        const [response] = (await once(get(`http://127.0.0.1:${port}/`, { agent: false }), 'response')) as [
          AsyncIterable<Buffer>,
        ];
        for await (const _ of response);
      } catch (error) {
        failures.push(error);
      }
      await sleep(5, hour);
    }
    return answers;
  })();
  return {
    failures,
    stop: async () => {
      ended.abort();
      return await asking;
    },
  };
}

const counting = 'i=0; while :; do echo $i; i=$((i+1)); sleep 0.02; done';

for (const [how, leave] of [
  ['in order', async (instance: Instance) => assert.equal((await instance.slipway('down', '--keep')).code, 0)],
  [
    'after it was killed',
    async (instance: Instance) => {
      const { pid } = await instance.status();
      process.kill(pid ?? assert.fail('there is no daemon'), 'SIGKILL');
      await eventually('it is gone', async () => (await instance.status()).state === 'down');
    },
  ],
] as const)
  test(`this version takes over what an older one runs, ${how}: no request fails, no line is lost`, async (t) => {
    const older = olderShim(t);
    const instance = new Instance(makeRoot(), {});
    t.after(async () => await instance.destroy());
    const up = await command(process.execPath, [older, '--root', instance.root, 'up'], {});
    assert.equal(up.code, 0, up.stderr);
    await instance.loadBusybox();
    const run = (name: string, ...args: readonly string[]): Promise<string> =>
      instance.dockerOutput('run', '-d', '--name', name, ...args);
    await run('web', '-p', '127.0.0.1::80', 'busybox', 'sh', '-c', 'echo page > /index.html; exec httpd -f -p 80 -h /');
    await run('counter', 'busybox', 'sh', '-c', counting);
    await run('dying', 'busybox', 'sh', '-c', 'until [ -e /end ]; do sleep 0.05; done; exit 7');
    const life = (name: string): Promise<string> =>
      instance.dockerOutput('inspect', '-f', '{{.State.Pid}} {{.State.StartedAt}} {{.RestartCount}}', name);
    const lives = await Promise.all(['web', 'counter'].map(life));
    const port = (await instance.dockerOutput('port', 'web', '80')).split(':').at(-1) ?? '';
    const { version } = await instance.status();

    const asked = ask(port);
    await instance.dockerOutput('exec', '-d', 'dying', 'sh', '-c', 'sleep 0.3; touch /end');
    await leave(instance);
    const taken = await instance.slipway('up');
    assert.equal(taken.code, 0, taken.stderr);
    const answers = await asked.stop();
    assert.deepEqual(asked.failures, []);
    assert.ok(answers > 0);
    if (process.env['SLIPWAY_UPGRADE_FROM'] === undefined) assert.notEqual((await instance.status()).version, version);
    assert.deepEqual(await Promise.all(['web', 'counter'].map(life)), lives);
    assert.equal(await instance.dockerOutput('wait', 'dying'), '7');
    assert.equal(await instance.dockerOutput('exec', 'web', 'cat', '/index.html'), 'page');
    await instance.dockerOutput('stop', '-t', '0', 'counter');
    const lines = (await instance.dockerOutput('logs', 'counter')).split('\n').map(Number);
    assert.deepEqual(lines, [...lines.keys()]);
  });
