// Containers whose users are others on the host (`engine.usernsRemap`), under both runtimes.
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { eventually } from '../../kit/eventually.ts';
import { freePort } from '../../kit/free-port.ts';
import { Instance } from '../../kit/instance.ts';
import { proves } from '../../kit/proves.ts';
import { makeRoot } from '../../kit/temp-root.ts';
import { Buildx } from '../buildkit/buildx.ts';

const first = 300_000;
const root = makeRoot();
const instance = new Instance(root, { settings: ['engine.usernsRemap=nobody'] });
const uidMap = /^\s*0 +300000 +65536$/;

before(async () => {
  // The users of containers are nobody here, and have to pass.
  chmodSync(root, 0o711);
  mkdirSync(join(root, 'etc'));
  for (const file of ['subuid', 'subgid']) writeFileSync(join(root, 'etc', file), `nobody:${String(first)}:65536\n`);
  await instance.start();
  await instance.loadBusybox();
});
after(async () => instance.destroy());

const docker = (...args: readonly string[]): Promise<string> => instance.dockerOutput(...args);
const sh = (script: string): readonly string[] => ['busybox', 'sh', '-c', script];
const refusal = async (...args: readonly string[]): Promise<string> => {
  const { code, stderr } = await instance.docker(...args);
  assert.notEqual(code, 0, args.join(' '));
  return stderr;
};

test('info tells', async () => {
  assert.match(await docker('info', '-f', '{{json .SecurityOptions}}'), /"name=userns"/);
});

test('what needs the users of the host is refused in the words of dockerd', async () => {
  assert.match(await refusal('run', '--privileged', 'busybox'), /privileged mode is incompatible with user namespaces/);
  assert.match(await refusal('run', '--network', 'host', 'busybox'), /cannot share the host's network namespace/);
  assert.match(await refusal('run', '--pid', 'host', 'busybox'), /cannot share the host PID namespace/);
});

test('--userns=host gives them back', proves('docker {run,create} --userns'), async () => {
  const script = 'cat /proc/self/uid_map; touch /data/host; stat -c "%u %n" /data/*';
  await docker('run', '--rm', '-v', 'both:/data', ...sh('touch /data/remapped'));
  const said = await docker('run', '--rm', '--userns=host', '--privileged', '-v', 'both:/data', ...sh(script));
  assert.match(said, /0 +0 +4294967295\n0 \/data\/host\n0 \/data\/remapped$/);
  assert.equal(await docker('run', '--rm', '-v', 'both:/data', ...sh('stat -c %u /data/host')), '0');
});

for (const runtime of ['crun', 'runc'])
  describe(runtime, () => {
    const run = (...args: readonly string[]): Promise<string> => docker('run', '--rm', '--runtime', runtime, ...args);

    test('root in it is nobody here, and owns what the image has', async () => {
      const [map = '', ...owners] = (
        await run(...sh('cat /proc/self/uid_map; stat -c "%u:%g" / /etc/passwd /etc/hosts'))
      ).split('\n');
      assert.match(map, uidMap);
      assert.deepEqual(owners, ['0:0', '0:0', '0:0']);
    });

    test('a volume has owners as they are inside, a bind those of the host', async () => {
      const folder = join(root, `bind-${runtime}`);
      mkdirSync(folder);
      chmodSync(folder, 0o777);
      writeFileSync(join(folder, 'hosts'), '');
      const volume = `data-${runtime}`;
      const script = 'stat -c "%u %a" /etc/passwd; chown 33:44 /etc/group; touch /b/new; stat -c %u /b/hosts';
      const shown = await run('-v', `${volume}:/etc`, '-v', `${folder}:/b`, ...sh(script));
      assert.deepEqual(shown.split('\n'), ['0 644', '65534']);
      assert.equal(statSync(join(folder, 'new')).uid, first);
      const data = await docker('volume', 'inspect', '-f', '{{.Mountpoint}}', volume);
      assert.deepEqual(
        ['passwd', 'group'].map((name) => statSync(join(data, name)).gid),
        [0, 44],
      );
      const part = `type=volume,src=${volume},dst=/p,volume-subpath=group,readonly`;
      assert.match(
        await run('--mount', part, ...sh('stat -c %g /p; echo >> /p || echo read-only')),
        /^44\n[^]*read-only$/,
      );
      const image = 'type=image,src=busybox,dst=/i';
      assert.equal(await run('--mount', image, ...sh('stat -c %u /i/bin')), '0');
    });

    test('root may set its network up and mount, not here', async () => {
      const caps = ['--cap-add', 'NET_ADMIN', '--cap-add', 'SYS_ADMIN', '--security-opt', 'seccomp=unconfined'];
      const script =
        'ping -c 1 127.0.0.1 > /dev/null && ip link add dev d0 type bridge && cat /proc/sys/net/ipv4/ip_forward &&' +
        ' mkdir /m && mount -t tmpfs none /m && echo mounted; hostname other && hostname; mknod /dev/kmem2 c 1 2 || echo no';
      const said = await run(...caps, '--sysctl', 'net.ipv4.ip_forward=1', ...sh(`{ ${script}; } 2>&1`));
      assert.match(said, /^1\nmounted\nother\n[^]*no$/);
    });

    test('it lives on without its daemon: ports, exec, cp, export, commit', async () => {
      const port = await freePort();
      const name = `server-${runtime}`;
      const serve = 'cd /made/here; echo page > /tmp/index.html; httpd -f -h /tmp -p 8080';
      const options = [
        '--runtime',
        runtime,
        '-p',
        `127.0.0.1:${String(port)}:8080`,
        '-w',
        '/made/here',
        '-u',
        '1000:1000',
      ];
      await docker('run', '-d', '--name', name, ...options, ...sh(serve));
      await instance.kill9();
      await instance.start();
      const answer = (): Promise<string> => fetch(`http://127.0.0.1:${String(port)}/`).then((reply) => reply.text());
      assert.equal(await eventually('it serves', () => answer().catch(() => undefined)), 'page\n');
      const pid = await docker('inspect', '-f', '{{.State.Pid}}', name);
      assert.equal(statSync(`/proc/${pid}`).uid, first + 1000);

      const file = join(root, `file-${runtime}`);
      writeFileSync(file, 'from here');
      chownSync(file, 1234, 55);
      await docker('cp', file, `${name}:/copied`);
      assert.equal(await docker('exec', '-u', '0', name, 'stat', '-c', '%u:%g', '/copied'), '1234:55');
      assert.equal(await docker('exec', name, 'stat', '-c', '%u', '/made', '/tmp/index.html'), '0\n1000');
      const exported = await instance.docker('export', '-o', join(root, `${runtime}.tar`), name);
      assert.equal(exported.code, 0);
      const image = `committed-${runtime}`;
      await docker('exec', '-u', '0', name, 'rm', '/bin/ls');
      await docker('commit', name, image);
      const seen = 'stat -c %u /copied /made; test -e /bin/ls || echo removed';
      assert.equal(await run(image, 'sh', '-c', seen), '1234\n0\nremoved');
      await docker('stop', '-t', '0', name);
      await docker('cp', file, `${name}:/stopped`);
      await docker('start', name);
      assert.equal(await docker('exec', name, 'stat', '-c', '%u', '/stopped', '/copied'), '1234\n1234');
    });

    test('containers that share namespaces share their users, and refuse others', async () => {
      const name = `donor-${runtime}`;
      await docker('run', '-d', '--name', name, '--ipc', 'shareable', ...sh('sleep 3600'));
      for (const flag of ['--network', '--pid', '--ipc'])
        assert.match(await run(flag, `container:${name}`, ...sh('cat /proc/self/uid_map')), uidMap, flag);
      const host = `host-${runtime}`;
      await docker('run', '-d', '--name', host, '--userns=host', ...sh('sleep 3600'));
      const asked = ['run', '--rm', '--runtime', runtime, '--network', `container:${host}`, 'busybox'];
      assert.match(await refusal(...asked), /Cannot share namespaces of container "host-.*--userns=host/);
    });
  });

test('steps of builds have the same users, and leave none of them in layers', async () => {
  const buildx = new Buildx(instance);
  const dockerfile = `FROM busybox AS base
RUN cat /proc/self/uid_map; chown 12:13 /etc/group; echo joe:x:1005:1005::/:/bin/sh >> /etc/passwd
FROM base
COPY --chown=joe file /w/file
RUN --mount=type=bind,from=base,source=/etc,target=/base stat -c "base %u" /base/group
RUN --mount=type=bind,target=/ctx stat -c "context %u %n" /ctx/file
RUN --mount=type=cache,target=/cache,uid=7 stat -c "cache %u" /cache; touch /cache/x; chown 9 /cache/x
RUN --mount=type=cache,target=/cache,uid=7 stat -c "again %u" /cache/x
RUN --mount=type=secret,id=s,uid=9 stat -c "secret %u" /run/secrets/s; rm /bin/ls
USER joe
RUN id -u; stat -c "owner %u" /w/file /w
`;
  const folder = buildx.folder({ Dockerfile: dockerfile, file: 'x', secret: 'y' });
  const progress = await buildx.built(folder, ['-t', 'steps', '--secret', `id=s,src=${join(folder, 'secret')}`]);
  const said = progress.match(/(?<=^#\d+ [\d.]+ ).*$/gm) ?? [];
  const wanted = [
    'base 12',
    'context 0 /ctx/file',
    'cache 7',
    'again 9',
    'secret 9',
    '1005',
    'owner 1005',
    'owner 1005',
  ];
  assert.match(said[0] ?? '', uidMap);
  assert.deepEqual(said.slice(1), wanted);
  assert.equal(await docker('run', '--rm', 'steps', 'stat', '-c', '%u', '/etc/group', '/w/file'), '12\n1005');
  const refused = await buildx.build(folder, [
    '--network',
    'host',
    '--no-cache',
    '--secret',
    `id=s,src=${join(folder, 'secret')}`,
  ]);
  assert.match(refused.stderr, /cannot share the host's network namespace/);
});

test('nothing of a run is left, and the users are gone with the setting', async () => {
  const ids = await docker('ps', '-aq');
  await docker('rm', '-f', ...ids.split('\n'));
  assert.deepEqual(readdirSync(join(instance.paths.run, 'engine/c')), []);
  const plain = new Instance(root, { settings: [] });
  await instance.stop();
  await plain.start();
  const script = 'cat /proc/self/uid_map; stat -c "%u %u" /w/file /etc/group';
  assert.match(await plain.dockerOutput('run', '--rm', 'steps', 'sh', '-c', script), /4294967295\n1005 1005\n12 12$/);
  await plain.stop();
  await instance.start();
});
