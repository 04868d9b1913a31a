import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after as afterAll, before, describe, test } from 'node:test';

import { after } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import { StepError } from '#engine/build/step-error.ts';
import { newPlace, openRunWorld, type RunWorld } from './run-world.ts';
import { never } from './world.ts';

let world: RunWorld;

before(async () => {
  world = await openRunWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const put = (path: string, text: string): void => writeFileSync(join(world.context, path), text);

/** What a failed or aborted build must not leave. */
function assertClean(): void {
  assert.deepEqual(world.snapshots.writables(), []);
  assert.deepEqual(readdirSync(join(world.folder, 'data/build/tmp')), []);
}

describe('RUN', () => {
  test('forms, folder, user, environment', async () => {
    const { output, image } = await world.build(
      [
        'FROM busybox:1',
        'ARG A=arg',
        'ENV E=env',
        'WORKDIR /w',
        'RUN pwd; echo "$A $E"; id -u',
        'USER nobody',
        'RUN ["sh", "-c", "id -u"]',
        'SHELL ["/bin/sh", "-e", "-c"]',
        'RUN <<EOF',
        'echo one',
        'echo two',
        'EOF',
        'RUN <<EOF',
        '#!/bin/sh -e',
        'echo script $0',
        'EOF',
        'RUN cat <<A - <<B',
        'a',
        'A',
        'b',
        'B',
        'RUN echo err >&2; echo opened > /dev/stderr',
      ].join('\n'),
    );
    assert.equal(output, '/w\narg env\n0\n65534\none\ntwo\nscript /dev/pipes/EOF\nb\nerr\nopened\n');
    assert.equal(image.config.config?.User, 'nobody');
    assertClean();
  });

  test('changes files: new, changed, removed, owners, links; nothing of the mount points stays', async () => {
    const { files, image } = await world.build(
      'FROM busybox:1\nRUN mkdir /n && echo x > /n/f && chown 5:6 /n/f && chmod 4711 /n/f && ln -s f /n/l && rm -r /var && echo 1 >> /etc/group',
    );
    const all = await files();
    assert.ok(all.includes('/n/f 4711 5:6 x\n'));
    assert.ok(all.includes('/n/l -> f 0:0'));
    assert.ok(
      !all.some((line) => /^\/(var|proc|sys|dev)\b/.test(line)),
      all.filter((line) => /^\/(var|proc|sys|dev)/.test(line)).join(),
    );
    assert.ok(!all.some((line) => /^\/etc\/(hosts|resolv.conf|hostname) /.test(line)));
    assert.equal(image.config.rootfs.diff_ids.length, 2);
  });

  test('a multi-stage build copies one file out of a fat stage', async () => {
    put('hello.txt', 'hello');
    const text = [
      'FROM busybox:1 AS fat',
      'COPY hello.txt /src/',
      'RUN mkdir /out && tr a-z A-Z < /src/hello.txt > /out/hello',
      'FROM busybox:1 AS unused',
      'RUN false',
      'FROM scratch',
      'COPY --from=fat /out/hello /hello',
      'CMD ["/hello"]',
    ].join('\n');
    const first = await world.build(text, { tags: ['hello:1'] });
    assert.deepEqual(await first.files(), ['/hello 644 0:0 HELLO']);
    assert.equal(world.images.get('hello:1').id, first.image.id);
    const again = await world.build(text);
    assert.equal(again.image.id, first.image.id);
    assert.equal(again.events.filter(({ kind }) => kind === 'cached').length, 3);
    assert.equal(again.output, '');
    await world.reopen();
    assert.equal((await world.build(text)).image.id, first.image.id, 'also after a restart');
  });

  test('a failure says the command, the code, the place', async () => {
    await assert.rejects(world.build('FROM busybox:1\nRUN echo before; exit 42\nRUN echo never'), (error) => {
      assert.ok(error instanceof StepError, String(error));
      assert.equal(error.exitCode, 42);
      assert.match(error.message, /^The command '\/bin\/sh -c echo before; exit 42' returned a non-zero code: 42\n/);
      assert.match(error.message, / {3}2 \| >>> RUN echo before; exit 42/);
      assert.equal(error.problems[0]?.path, 'Dockerfile:2');
      return true;
    });
    await assert.rejects(world.build('FROM busybox:1\nRUN ["/no/such/command"]'), (error) => {
      assert.ok(error instanceof StatusError, String(error));
      assert.equal(error.problems[0]?.path, 'Dockerfile:2');
      return true;
    });
    assertClean();
  });
});

describe('RUN --mount', () => {
  test('bind: the context read-only, another stage, writes thrown away', async () => {
    mkdirSync(join(world.context, 'bind'), { recursive: true });
    put('bind/f', 'context');
    const { output, files } = await world.build(
      [
        'FROM busybox:1 AS other',
        'RUN mkdir /o && echo stage > /o/f',
        'FROM busybox:1',
        'RUN --mount=target=/c,source=bind --mount=from=other,source=/o,target=/o cat /c/f; echo; cat /o/f; touch /c/x 2>&1 || true',
        'RUN --mount=target=/c,source=bind,rw --mount=from=other,source=/o,target=/o,rw touch /c/x /o/x && ls /c /o',
        'RUN --mount=from=other,source=/o/f,target=/file cat /file; ls -d /c /o 2>&1 || true',
      ].join('\n'),
    );
    assert.match(output, /^context\nstage\ntouch: \/c\/x: Read-only file system\n/);
    assert.match(output, /\/c:\nf\nx\n\n\/o:\nf\nx\nstage\n/);
    assert.deepEqual(readdirSync(join(world.context, 'bind')), ['f']);
    assert.ok(!(await files()).some((line) => /^\/(c|o|file)\b/.test(line)), 'no mount point stays');
  });

  test('cache: outlives builds, tmpfs does not', async () => {
    const run =
      'RUN --mount=type=cache,target=/cache --mount=type=tmpfs,target=/t cat /cache/f /t/f 2>/dev/null; echo kept > /cache/f; echo lost > /t/f';
    assert.equal((await world.build(`FROM busybox:1\n${run}`)).output, '');
    const again = await world.build(`FROM busybox:1\nENV X=1\n${run}`);
    assert.equal(again.output, 'kept\n');
    assert.ok(!(await again.files()).some((line) => /^\/(cache|t)\b/.test(line)));
  });

  test('what is ignored is not there', async () => {
    mkdirSync(join(world.context, 'ign'), { recursive: true });
    put('ign/a', '1');
    put('ign/b', '1');
    writeFileSync(join(world.context, '.dockerignore'), 'ign/b');
    const { output } = await world.build('FROM busybox:1\nRUN --mount=target=/c ls /c/ign');
    writeFileSync(join(world.context, '.dockerignore'), '');
    assert.equal(output, 'a\n');
  });
});

describe('hostile stages', () => {
  test('links that RUN plants lead COPY, WORKDIR and mounts nowhere', async () => {
    put('secret', 'not yours');
    symlinkSync('/etc/hostname', join(world.context, 'out'), 'file');
    const text = [
      'FROM busybox:1 AS trap',
      `RUN ln -s ${world.folder} /abs && ln -s ../../../../../../../.. /up && ln -s /abs/planted /etc/x`,
      'FROM trap',
      'WORKDIR /up/made',
      'COPY secret /up/copied',
      'COPY secret /abs/planted',
      'RUN ls /made /copied; test ! -e /host',
    ].join('\n');
    await assert.rejects(world.build(text), { reason: 'InvalidArgument' }, 'a dangling link is no folder');
    assert.deepEqual(
      readdirSync(world.folder).filter((name) => name === 'planted' || name === 'made'),
      [],
    );
    await assert.rejects(world.build('FROM busybox:1\nCOPY out /x'), { reason: 'NotFound' });
    await assert.rejects(world.build('FROM busybox:1\nRUN --mount=source=out,target=/x cat /x'), {
      reason: 'NotFound',
    });
    assertClean();
  });
});

describe('several builds', () => {
  test('two at once do the same work once and others in parallel', async () => {
    const text = 'FROM busybox:1\nRUN echo shared > /s\nRUN cat /proc/sys/kernel/random/uuid > /u';
    const [one, other, third] = await Promise.all([
      world.build(text),
      world.build(text),
      world.build('FROM busybox:1\nRUN echo mine > /m'),
    ]);
    assert.equal(one.image.id, other.image.id);
    assert.ok((await third.files()).includes('/m 644 0:0 mine\n'));
    assertClean();
  });

  test('one that is aborted in the middle leaves nothing, and can be built again', async () => {
    const layers = world.snapshots.layers().length;
    const controller = new AbortController();
    const text = 'FROM busybox:1 AS a\nRUN echo running; sleep 1000\nFROM busybox:1\nRUN --mount=from=a,target=/a true';
    const aborted = world.build(text, { onOutput: () => controller.abort(new Error('enough')) }, controller.signal);
    await assert.rejects(aborted, /enough/);
    assertClean();
    assert.equal(world.snapshots.layers().length, layers);
    assert.equal((await world.build('FROM busybox:1\nRUN echo fine')).output, 'fine\n');
  });

  test('aborted at whatever moment, a build ends and leaves nothing', async () => {
    for (const delayMs of [0, 5, 10, 20, 40, 80, 160]) {
      const controller = new AbortController();
      const building = world.build('FROM busybox:1\nRUN sleep 1000', {}, controller.signal);
      using _ = after(delayMs, () => controller.abort(new Error('enough')));
      await assert.rejects(building, /enough/);
      assertClean();
    }
  });

  test('kill -9 in the middle: the next start sweeps, and what was finished is cached', async (t) => {
    const place = newPlace();
    const text = 'FROM busybox:1\nRUN echo done > /done\nRUN echo running; sleep 1000';
    const script = fileURLToPath(import.meta.resolve('./build-child.ts'));
    const child = spawn(process.execPath, [script, place.folder, place.instance, text], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(async () => {
      child.kill('SIGKILL');
      if (existsSync(place.folder)) await (await openRunWorld(place))[Symbol.asyncDispose]();
    });
    await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => assert.fail('it ended early'))]);
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    await using revived = await openRunWorld(place);
    assert.deepEqual(revived.snapshots.writables(), []);
    assert.deepEqual(readdirSync(join(place.folder, 'run/steps')), []);
    assert.doesNotMatch(readFileSync('/proc/self/mounts', 'utf8'), new RegExp(place.folder));
    const { events, files } = await revived.build('FROM busybox:1\nRUN echo done > /done');
    assert.ok(events.some(({ kind }) => kind === 'cached'));
    assert.ok((await files()).includes('/done 644 0:0 done\n'));
  });

  test('what a dead process left is swept at start', async () => {
    await world.build('FROM busybox:1\nRUN echo kept > /kept');
    const layers = world.snapshots.layers().length;
    await world.snapshots.create('build-dead', undefined);
    world.snapshots.mount('build-dead');
    await world.snapshots.create('build-orphan', undefined);
    writeFileSync(join(world.snapshots.mount('build-orphan'), 'x'), 'x');
    await world.snapshots.commit('build-orphan', never);
    await world.reopen();
    assertClean();
    assert.equal(world.snapshots.layers().length, layers);
    const { events } = await world.build('FROM busybox:1\nRUN echo kept > /kept');
    assert.ok(events.some(({ kind }) => kind === 'cached'));
  });
});

describe('what RUN may do', () => {
  test('networks: none has nothing but loopback, host needs leave and is the host’s', async () => {
    const links = 'ls /sys/class/net | wc -l; readlink /proc/self/ns/net';
    const { output } = await world.build(`FROM busybox:1\nRUN --network=none ${links}`, { networkMode: 'host' });
    const [count, namespace] = output.trim().split('\n');
    assert.equal(count, '1');
    assert.notEqual(namespace, readlinkSync('/proc/self/ns/net'));
    const entitled = { entitlements: ['network.host'] };
    const host = await world.build('FROM busybox:1\nRUN --network=host readlink /proc/self/ns/net', entitled);
    assert.equal(host.output.trim(), readlinkSync('/proc/self/ns/net'));
    await assert.rejects(world.build('FROM busybox:1\nRUN --network=host true'), { reason: 'Forbidden' });
  });

  test('capabilities: all with security.insecure, which needs leave', async () => {
    const run = (flag: string): string => `FROM busybox:1\nRUN ${flag} grep CapEff /proc/self/status`;
    const capabilities = (output: string): bigint => BigInt(`0x${output.split(':')[1]?.trim() ?? ''}`);
    const plain = await world.build(run('--security=sandbox'));
    const all = await world.build(run('--security=insecure'), { entitlements: ['security.insecure'] });
    const sysAdmin = 1n << 21n;
    assert.equal(capabilities(plain.output) & sysAdmin, 0n);
    assert.equal(capabilities(all.output) & sysAdmin, sysAdmin);
    await assert.rejects(world.build(run('--security=insecure')), { reason: 'Forbidden' });
  });

  test('the host name is BuildKit’s, or what the build argument says', async () => {
    const text = 'FROM busybox:1\nRUN hostname';
    assert.equal((await world.build(text)).output, 'buildkitsandbox\n');
    const buildArgs = { BUILDKIT_SANDBOX_HOSTNAME: 'there' };
    assert.equal((await world.build(text, { buildArgs })).output, 'there\n');
  });
});
