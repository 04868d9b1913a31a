import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { nowMs } from '#base/clock.ts';

import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';

let instance: Instance;

before(async () => {
  instance = await openInstance();
});
after(async () => instance?.destroy());

/** Old ones that tools still ask for, and those between which much changed; "newest" is what both sides speak. */
const versions = ['1.24', '1.30', '1.41', '1.44', 'newest'];

for (const version of versions) {
  test(`docker that speaks ${version} runs, looks and cleans up`, async (t) => {
    const own = await instance.dockerOutput('version', '--format', '{{.Client.APIVersion}}');
    if (version !== 'newest' && Number(version.slice(2)) > Number(own.slice(2))) {
      t.skip(`this client speaks at most ${own}`);
      return;
    }
    const env = version === 'newest' ? {} : { DOCKER_API_VERSION: version };
    const say = async (...args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await instance.dockerWith({ env }, ...args);
      assert.equal(code, 0, `docker ${args.join(' ')}: ${stderr}`);
      return stdout.trimEnd();
    };
    const name = `at-${version}`;
    await say('network', 'create', name);
    await say('volume', 'create', name);
    await say(
      'run',
      '--detach',
      '--name',
      name,
      '--network',
      name,
      '--publish',
      '127.0.0.1::80',
      '--volume',
      `${name}:/data`,
      'busybox',
      'sh',
      '-c',
      'echo out; echo err >&2; exec sleep 3600',
    );
    assert.equal(await say('exec', name, 'sh', '-c', 'echo inside > /data/x; cat /data/x'), 'inside');
    assert.match(
      await say('ps', '--filter', `name=${name}`, '--format', '{{.Names}} {{.Networks}} {{.Ports}}'),
      /^at-\S+ at-\S+ 127\.0\.0\.1:\d+->80\/tcp$/,
    );
    assert.equal(await say('logs', name), 'out');
    assert.match(await say('stats', '--no-stream', '--format', '{{.PIDs}}', name), /^[12]$/);
    assert.match(
      await say('inspect', '--format', '{{.State.Status}} {{.HostConfig.NetworkMode}}', name),
      /^running at-/,
    );
    assert.match(await say('network', 'inspect', '--format', '{{range .Containers}}{{.Name}}{{end}}', name), /^at-/);
    assert.match(await say('images', '--format', '{{.Repository}} {{.Size}}', 'busybox'), /^busybox [1-9]/);
    assert.match(
      await say('image', 'inspect', '--format', '{{.Size}} {{.Config.Cmd}}', 'busybox'),
      /^[1-9]\d+ \[sh\]$/,
    );
    if (version !== '1.24')
      assert.match(await say('system', 'df', '--format', '{{.Type}} {{.TotalCount}}'), /^Images 1$/m);
    assert.match(await say('info', '--format', '{{.Driver}} {{.Containers}}'), /^overlay2 [1-9]/);
    const until = String(nowMs() / 1000);
    assert.match(
      await say('events', '--since', '0', '--until', until, '--filter', `container=${name}`, '--format', '{{.Action}}'),
      /^start$/m,
    );
    await say('stop', '-t', '0', name);
    assert.match(await say('wait', name), /^137$/);
    await say('rm', '--volumes', name);
    await say('network', 'rm', name);
    await say('volume', 'rm', name);
    assert.equal(await say('run', '--rm', 'busybox', 'echo', 'once'), 'once');
    assert.equal(await say('ps', '--all', '--quiet'), '');
  });
}
