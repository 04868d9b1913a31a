import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';

import { Instance } from '../../kit/instance.ts';
import { makeRoot } from '../../kit/temp-root.ts';
import { toolPath } from '../../kit/tools.ts';

const settings = ['gc.buildCache=3m', 'gc.danglingAfter=0', 'gc.every=60', 'gc.minFree=1m'];
const instance = new Instance(makeRoot(), { settings });

before(async () => {
  await instance.start();
  await instance.loadBusybox();
});
after(async () => instance.destroy());

async function build(tag: string, ...lines: readonly string[]): Promise<void> {
  const dockerfile = ['FROM busybox', ...lines].join('\n');
  const { code, stderr } = await instance.dockerWith({ stdin: dockerfile }, 'build', '-t', tag, '-');
  assert.equal(code, 0, stderr);
}

async function gc(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await instance.slipway('gc', ...args);
  assert.equal(code, 0, stderr);
  return stdout;
}

const images = async (): Promise<readonly string[]> =>
  (await instance.dockerOutput('image', 'ls', '-a', '--format', '{{.Repository}} {{.ID}}')).split('\n').sort();

test('images that nothing names or uses go; named and used ones stay', async () => {
  await build('app', 'LABEL v=1', 'RUN dd if=/dev/zero of=/one bs=1M count=1 2>/dev/null');
  await instance.dockerOutput('create', '--name', 'holder', 'app');
  await build('app', 'LABEL v=2', 'RUN dd if=/dev/zero of=/two bs=1M count=1 2>/dev/null');
  await build('app', 'LABEL v=3');
  const before = await images();
  assert.equal(before.filter((line) => line.startsWith('<none>')).length, 2);
  const planned = await gc('--dry-run');
  assert.match(planned, /^WHAT +ID +NAME +FREES +WHY$/m);
  assert.match(
    planned,
    /^image +[0-9a-f]{12} +<none> +[\d.]+ MB +nothing names or uses it since 0 h, and 0 h are allowed$/m,
  );
  assert.match(planned, /^would free [\d.]+ MB$/m);
  assert.deepEqual(await images(), before, 'a dry run changes nothing');
  await gc();
  const after = await images();
  assert.equal(after.filter((line) => line.startsWith('<none>')).length, 1, 'a container has the other');
  assert.deepEqual(
    before.filter((line) => !line.startsWith('<none>')),
    after.filter((line) => !line.startsWith('<none>')),
  );
  await instance.dockerOutput('start', 'holder');
  assert.match(await gc('--dry-run'), /^would free 0\.0 MB$/m);
});

test('the build cache keeps its budget', async () => {
  const size = async (): Promise<number> => {
    const shown = await instance.dockerOutput('system', 'df', '--format', '{{.Type}} {{.Size}}');
    const [, number = '', unit = ''] = /^Build Cache ([\d.]+)(\w+)$/m.exec(shown) ?? [];
    return Number(number) * ({ B: 1, kB: 1e3, MB: 1e6, GB: 1e9 }[unit] ?? Number.NaN);
  };
  // What only the cache has: a stage that no image contains.
  const steps = [1, 2, 3, 4, 5].map((n) => `RUN dd if=/dev/urandom of=/f${String(n)} bs=1M count=2 2>/dev/null`);
  await build(
    'small',
    'RUN true',
    'FROM busybox AS big',
    ...steps,
    'FROM busybox',
    'COPY --from=big /etc/group /group',
  );
  assert.ok((await size()) > 9e6, await instance.dockerOutput('system', 'df'));
  assert.match(await gc('--dry-run'), /^build cache .* the build cache has \d+\.\d MB, more than 3\.1 MB$/m);
  await gc();
  assert.ok((await size()) <= 3.2e6, await instance.dockerOutput('system', 'df'));
  assert.match(await gc('--dry-run'), /^would free 0\.0 MB$/m);
});

test('a volume has the size that du says', async () => {
  const fill = 'dd if=/dev/zero of=/d/file bs=1k count=77; ln /d/file /d/same; mkdir /d/x; truncate -s 50M /d/sparse';
  await instance.dockerOutput('run', '--rm', '-v', 'sized:/d', 'busybox', 'sh', '-c', fill);
  const data = await instance.dockerOutput('volume', 'inspect', '-f', '{{.Mountpoint}}', 'sized');
  const [bytes = ''] = execFileSync(toolPath('du'), ['-s', '-B1', data], { encoding: 'utf8' }).split('\t');
  const shown = await instance.dockerOutput('system', 'df', '-v', '--format', '{{json .Volumes}}');
  const sizes = JSON.parse(shown) as readonly { readonly Name: string; readonly Size: string }[];
  const kilobytes = Number(bytes) / 1000;
  assert.equal(sizes.find(({ Name }) => Name === 'sized')?.Size, `${String(Number(kilobytes.toPrecision(4)))}kB`);
});
