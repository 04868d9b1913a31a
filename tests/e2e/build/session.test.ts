import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Duplex } from 'node:stream';
import { after as afterAll, before, describe, test } from 'node:test';

import type { BuildSession } from '#engine/build/builder.ts';
import { openRunWorld, type RunWorld } from './run-world.ts';

let world: RunWorld;

before(async () => {
  world = await openRunWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** An agent that answers in capitals, and one secret. */
const session: BuildSession = {
  secret: async (id) => await Promise.resolve(id === 'token' ? Buffer.from('hush') : undefined),
  hasSshAgent: async (id) => await Promise.resolve(id === 'default'),
  connectSshAgent: async () =>
    await Promise.resolve(
      Duplex.from(async function* (source: AsyncIterable<Buffer>) {
        for await (const chunk of source) yield chunk.toString().toUpperCase();
      }),
    ),
};

const build = async (...run: readonly string[]) =>
  await world.build(['FROM busybox:1', ...run].join('\n'), { session, noCache: true });

describe('RUN --mount=type=secret', () => {
  test('is a file in memory with the mode and owner asked for, and nothing of it stays', async () => {
    const { output, files } = await build(
      'RUN --mount=type=secret,id=token cat /run/secrets/token; stat -c " %a %u:%g" /run/secrets/token; grep -c " /run/secrets/token .*tmpfs" /proc/mounts',
      'RUN --mount=type=secret,id=token,target=/t,mode=0440,uid=5,gid=6 stat -c "%a %u:%g" /t; touch /t 2>&1 || true',
      'RUN --mount=type=secret,id=token,env=TOKEN echo "$TOKEN"; ls /run/secrets 2>&1 || true',
      'RUN --mount=type=secret,id=none cat /run/secrets/none 2>&1 || true',
    );
    assert.equal(
      output,
      'hush 400 0:0\n1\n440 5:6\ntouch: /t: Read-only file system\nhush\nls: /run/secrets: No such file or directory\n' +
        "cat: can't open '/run/secrets/none': No such file or directory\n",
    );
    assert.ok(!(await files()).some((line) => /^\/(t|run)\b/.test(line)));
    assert.deepEqual(readdirSync(join(world.folder, 'run/steps')), []);
  });

  test('a user other than root reads what is theirs', async () => {
    const { output } = await build(
      'USER nobody',
      'RUN --mount=type=secret,id=token,uid=65534 --mount=type=secret,id=token,target=/root-only cat /run/secrets/token; cat /root-only 2>&1 || true',
    );
    assert.equal(output, "hushcat: can't open '/root-only': Permission denied\n");
  });
});

/** Debian's perl with its libraries, since no applet of busybox speaks to unix sockets. */
function putPerl(): void {
  const linked = execFileSync('ldd', ['/usr/bin/perl'], { encoding: 'utf8' });
  for (const path of ['/usr/bin/perl', ...(linked.match(/\/\S+/g) ?? [])]) {
    const copy = join(world.context, 'perl', path);
    mkdirSync(dirname(copy), { recursive: true });
    copyFileSync(path, copy);
  }
}

describe('RUN --mount=type=ssh', () => {
  test('leads to the agent of the client', async () => {
    putPerl();
    const talk =
      'socket(S, 1, 1, 0); connect(S, pack("Sa108", 1, $ENV{SSH_AUTH_SOCK})) or die $!; syswrite S, "hello"; shutdown S, 1; print <S>';
    const { output, files } = await build(
      'COPY perl /',
      'RUN --mount=type=ssh,uid=65534 echo "$SSH_AUTH_SOCK"; stat -c "%F %a %u" "$SSH_AUTH_SOCK"',
      `RUN --mount=type=ssh /usr/bin/perl -e '${talk}'`,
      'RUN echo "${SSH_AUTH_SOCK-unset}"',
    );
    assert.equal(output, '/run/buildkit/ssh_agent.0\nsocket 600 65534\nHELLOunset\n');
    assert.ok(!(await files()).some((line) => line.includes('ssh_agent')));
  });
});
