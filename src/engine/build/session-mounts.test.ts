import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { BuildWorld } from '#kit/build-world.ts';
import type { BuildSession } from './builder.ts';

function sessionOf(secrets: Readonly<Record<string, string>>): BuildSession & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    secret: async (id) => {
      asked.push(id);
      return await Promise.resolve(secrets[id] === undefined ? undefined : Buffer.from(secrets[id]));
    },
    hasSshAgent: async (id) => await Promise.resolve(id === 'default'),
    connectSshAgent: async () => await Promise.reject(new Error('nobody connects')),
  };
}

describe('secrets', () => {
  test('go to the step and nowhere else', async (t) => {
    const world = await BuildWorld.create(t);
    const session = sessionOf({ token: 'hush', 'a/b': 'deep' });
    const text = [
      'FROM base',
      'WORKDIR /w',
      'RUN --mount=type=secret,id=token,env=TOKEN say x',
      'RUN --mount=type=secret,id=token,env=TOKEN,target=t,mode=0440,uid=5,gid=6 --mount=type=secret,id=a/b say y',
      'RUN --mount=type=secret,target=/etc/token say z',
    ].join('\n');
    const id = await world.build(text, { session });
    const [variable, files, byTarget] = world.ran;
    assert.deepEqual([variable?.secretEnv, variable?.secretFiles], [['TOKEN=hush'], []]);
    assert.deepEqual(
      files?.secretFiles.map(({ bytes, ...file }) => ({ ...file, text: Buffer.from(bytes).toString() })),
      [
        { target: '/w/t', mode: 0o440, uid: 5, gid: 6, text: 'hush' },
        { target: '/run/secrets/b', mode: 0o400, uid: 0, gid: 0, text: 'deep' },
      ],
    );
    assert.equal(byTarget?.secretFiles[0]?.target, '/etc/token');
    assert.ok(!JSON.stringify([world.config(id), world.said, variable?.env]).includes('hush'));
  });

  test('a changed secret changes no key; a cached step asks for none', async (t) => {
    const world = await BuildWorld.create(t);
    const text = 'FROM base\nRUN --mount=type=secret,id=token say x';
    const first = await world.build(text, { session: sessionOf({ token: 'one' }) });
    const session = sessionOf({ token: 'two' });
    assert.equal(await world.build(text, { session }), first);
    assert.deepEqual(session.asked, []);
    await world.build(text.replace('id=token', 'id=other'), { session });
    assert.equal(world.ran.length, 2, 'its ID is part of the key');
  });

  test('one that is not there is left away, unless it is required', async (t) => {
    const world = await BuildWorld.create(t);
    await world.build('FROM base\nRUN --mount=type=secret,id=x,env=X say x');
    assert.deepEqual(world.ran[0]?.secretEnv, []);
    for (const session of [undefined, sessionOf({})])
      await assert.rejects(
        world.build('FROM base\nRUN --mount=type=secret,id=x,required say x', session && { session }),
        { reason: 'NotFound', message: /^secret x: not found/ },
      );
  });

  test('too long ones and those that no variable holds are refused', async (t) => {
    const world = await BuildWorld.create(t);
    const session = sessionOf({ long: 'x'.repeat(500 * 1024 + 1), zero: 'a\0b' });
    await assert.rejects(world.build('FROM base\nRUN --mount=type=secret,id=long say x', { session }), {
      reason: 'TooLarge',
    });
    await assert.rejects(world.build('FROM base\nRUN --mount=type=secret,id=zero,env=Z say x', { session }), {
      reason: 'InvalidArgument',
    });
  });
});

describe('SSH agents', () => {
  test('are sockets; the first is in the environment', async (t) => {
    const world = await BuildWorld.create(t);
    const text = 'FROM base\nRUN --mount=type=ssh,id=other --mount=type=ssh --mount=type=ssh,target=/agent say x';
    await world.build(text, { session: sessionOf({}) });
    const [step] = world.ran;
    assert.deepEqual(
      step?.mounts.map(({ target }) => target),
      ['/run/buildkit/ssh_agent.1', '/agent'],
    );
    assert.deepEqual(step.secretEnv, ['SSH_AUTH_SOCK=/run/buildkit/ssh_agent.1']);
  });

  test('one that is required must be there', async (t) => {
    const world = await BuildWorld.create(t);
    await assert.rejects(
      world.build('FROM base\nRUN --mount=type=ssh,id=deploy,required=true say x', { session: sessionOf({}) }),
      { reason: 'NotFound', message: /unset ssh forward key deploy/ },
    );
  });
});
