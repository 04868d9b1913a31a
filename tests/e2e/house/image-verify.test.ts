import assert from 'node:assert/strict';
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { Instance } from '../../kit/instance.ts';
import { makeRoot } from '../../kit/temp-root.ts';

const instance = new Instance(makeRoot(), {});

before(async () => {
  await instance.start();
  await instance.loadBusybox();
});
after(async () => instance.destroy());

async function build(tag: string, command: string): Promise<void> {
  const stdin = `FROM busybox\nRUN ${command}\n`;
  const { code, stderr } = await instance.dockerWith({ stdin }, 'build', '-t', tag, '-');
  assert.equal(code, 0, stderr);
}

/** The folder of the layer that has a file. */
function folderOf(path: string): string {
  const layers = join(instance.root, 'var/lib/slipway/engine/snapshots/layers');
  const number = readdirSync(layers).find((one) => readdirSync(join(layers, one, 'fs')).includes(path));
  return join(layers, number ?? assert.fail(`no layer has ${path}`), 'fs');
}

test('a damaged layer is named, and nothing runs on it until its image is made again', async () => {
  await build('whole', 'echo whole > /whole');
  await build('harmed', 'echo good > /harmed');
  const fine = await instance.slipway('image', 'verify');
  assert.equal(fine.code, 0, fine.stderr);
  assert.match(fine.stdout, /^\d+ layers, 0 damaged$/m);
  await instance.dockerOutput('run', '-d', '--name', 'runs', 'harmed', 'sleep', '1000000');

  writeFileSync(join(folderOf('harmed'), 'harmed'), 'evil\n');
  assert.equal((await instance.slipway('image', 'verify', 'whole')).code, 0);
  const found = await instance.slipway('image', 'verify', 'harmed', '--quiet');
  assert.equal(found.code, 8);
  assert.match(
    found.stdout,
    /^damaged: layer sha256:[0-9a-f]{64} of harmed:latest: its files are not those of its digest; .*docker rmi/m,
  );
  assert.equal(found.stderr, '');
  const isRefused = async (): Promise<void> => {
    const { code, stderr } = await instance.docker('run', '--rm', 'harmed', 'true');
    assert.notEqual(code, 0);
    assert.match(
      stderr,
      /Cannot use layer "sha256:[0-9a-f]+": its files are not those of its digest; remove the images/,
    );
  };
  await isRefused();
  assert.equal(await instance.dockerOutput('exec', 'runs', 'echo', 'still here'), 'still here');
  await instance.kill9();
  await instance.start();
  await isRefused();
  assert.equal(await instance.dockerOutput('run', '--rm', 'whole', 'cat', '/whole'), 'whole');

  await instance.dockerOutput('rm', '-f', 'runs');
  await instance.dockerOutput('rmi', '-f', 'harmed');
  await instance.dockerOutput('builder', 'prune', '--all', '--force');
  await build('harmed', 'echo good > /harmed');
  assert.equal(await instance.dockerOutput('run', '--rm', 'harmed', 'cat', '/harmed'), 'good');
  assert.equal((await instance.slipway('image', 'verify')).code, 0);
});

test('a layer without its files is refused by name at the start, and one that is whole again is used again', async () => {
  await build('emptied', 'echo here > /emptied');
  const folder = folderOf('emptied');
  renameSync(folder, `${folder}.away`);
  const { stderr } = await instance.docker('run', '--rm', 'emptied', 'true');
  assert.match(stderr, /Cannot use layer "sha256:[0-9a-f]+": its files are gone/);
  assert.equal((await instance.slipway('image', 'verify', 'emptied')).code, 8);
  renameSync(`${folder}.away`, folder);
  assert.equal((await instance.slipway('image', 'verify', 'emptied')).code, 0);
  assert.equal(await instance.dockerOutput('run', '--rm', 'emptied', 'cat', '/emptied'), 'here');
  rmSync(join(folder, 'emptied'));
  const gone = await instance.slipway('image', 'verify', 'emptied');
  assert.equal(gone.code, 8);
  const unknown = await instance.slipway('image', 'verify', 'nobody');
  assert.equal(unknown.code, 4);
  assert.match(unknown.stderr, /No such image: nobody/);
  await instance.dockerOutput('rmi', '-f', 'emptied');
});
