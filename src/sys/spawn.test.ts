import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readdirSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';

import { spawnProcess, type SpawnedProcess } from './spawn.ts';

const shell = (script: string, sockets = 1): SpawnedProcess =>
  spawnProcess({ path: '/bin/sh', args: ['-c', script], env: { GREETING: 'hello' }, cwd: '/usr', sockets });

const output = async ({ sockets }: SpawnedProcess, index = 0): Promise<string> => {
  const socket = sockets[index];
  assert.ok(socket !== undefined);
  return await text(socket);
};

describe('spawnProcess', () => {
  test('starts the program with its variables, folder and nothing else', async () => {
    const child = shell('echo "$GREETING $PWD ${HOME-homeless}" >&3');
    assert.equal(await output(child), 'hello /usr homeless\n');
    await child.ended;
  });

  test('reaps it: no zombie is left', async () => {
    const child = shell('exit 3');
    assert.ok(existsSync(`/proc/${String(child.pid)}`));
    await child.ended;
    assert.equal(existsSync(`/proc/${String(child.pid)}`), false);
    child.sockets[0]?.destroy();
  });

  test('its sockets carry both ways, each its own', async () => {
    const child = shell('read line <&3; echo "got $line" >&4', 2);
    child.sockets[0]?.end('word\n');
    assert.equal(await output(child, 1), 'got word\n');
    await child.ended;
  });

  test('its standard streams are empty, and no descriptor of ours comes along', async (t) => {
    const file = openSync(import.meta.filename, 'r');
    t.after(() => closeSync(file));
    const child = shell('cat; open=$(for fd in /proc/$$/fd/*; do readlink "$fd"; done); echo "$open" >&3');
    const links = (await output(child)).trim().split('\n');
    assert.deepEqual(links.slice(0, 3), ['/dev/null', '/dev/null', '/dev/null']);
    assert.ok(!links.includes(import.meta.filename));
    await child.ended;
  });

  test('a broken pipe ends it, as it should every program', async () => {
    const child = shell('kill -PIPE $$; echo alive >&3');
    assert.equal(await output(child), '');
    await child.ended;
  });

  test('blocks no signal', async () => {
    const child = shell('grep SigBlk /proc/self/status >&3');
    assert.match(await output(child), /^SigBlk:\s*0+$/m);
    await child.ended;
  });

  test('a program that is not there is an error, and leaves no descriptor open', () => {
    const open = (): number => readdirSync('/proc/self/fd').length;
    const before = open();
    assert.throws(() => spawnProcess({ path: '/nowhere/program', args: [], env: {}, cwd: '/', sockets: 2 }), {
      code: 'ENOENT',
      message: 'posix_spawn /nowhere/program: ENOENT',
    });
    assert.equal(open(), before);
  });
});
