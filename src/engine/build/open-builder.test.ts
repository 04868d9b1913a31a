import assert from 'node:assert/strict';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import { StatusError } from '#base/errors.ts';
import { silentLogger } from '#base/logger.ts';
import type { EventLog } from '#engine/events/event-log.ts';
import { FakeImages } from '#kit/fake-images.ts';
import { FakeSnapshots } from '#kit/fake-snapshots.ts';
import type { BuildEvent, Builder, BuildRequest, StepRun, StepRunner } from './builder.ts';
import { openBuilder } from './open-builder.ts';
import { StepError } from './step-error.ts';

const never = new AbortController().signal;

/** A builder over fakes; commands are `write <path> <text>`, `fail <code>`, `say <text>`, `hang`, `meet`. */
class World {
  readonly ran: StepRun[] = [];
  readonly events: BuildEvent[] = [];
  readonly images = new FakeImages();
  readonly snapshots: FakeSnapshots;
  readonly folder: string;
  /** Called when a command hangs. */
  onHang: () => void = () => {};
  #builder: (Builder & AsyncDisposable) | undefined;
  #meeting = Promise.withResolvers<void>();
  #met = 0;

  constructor(folder: string) {
    this.folder = folder;
    this.snapshots = new FakeSnapshots(join(folder, 'snapshots'));
  }

  static async create(t: TestContext): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), 'slipway-build-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    await mkdir(join(folder, 'context'));
    const world = new World(folder);
    world.images.offer('base:latest', await world.snapshots.make(undefined, { base: 'base' }), { Env: ['PATH=/bin'] });
    return world;
  }

  async open(): Promise<Builder> {
    await this.#builder?.[Symbol.asyncDispose]();
    const { images, snapshots } = this;
    const events = { publish: () => {} } as unknown as EventLog;
    const dataDir = join(this.folder, 'build');
    const options = { dataDir, images: images.images, snapshots, steps: this.#runner(), events, logger: silentLogger };
    this.#builder = await openBuilder(options, never);
    return this.#builder;
  }

  async build(dockerfile: string, change: Partial<BuildRequest> = {}, signal = never): Promise<string> {
    const builder = this.#builder ?? (await this.open());
    this.events.length = 0;
    const request: BuildRequest = {
      contextDir: join(this.folder, 'context'),
      dockerfileName: 'Dockerfile',
      dockerfile,
      tags: [],
      buildArgs: {},
      target: '',
      labels: {},
      noCache: false,
      pull: false,
      networkMode: 'default',
      extraHosts: [],
      platform: { os: 'linux', architecture: 'amd64' },
      auth: () => undefined,
      ...change,
    };
    return await builder.build(request, (event) => this.events.push(event), signal);
  }

  config(id: string) {
    const image = this.images.find(id);
    assert.ok(image);
    return image.config;
  }

  /** The events as short lines. */
  get said(): readonly string[] {
    return this.events.map((event) => {
      if (event.kind === 'step') return `${String(event.number)}/${String(event.total)} ${event.text}`;
      if (event.kind === 'output') return Buffer.from(event.bytes).toString().trim();
      return event.kind === 'warning' ? event.text : event.kind;
    });
  }

  #runner(): StepRunner {
    return {
      run: async (step, onOutput, signal) => {
        this.ran.push(step);
        const [verb, first = '', second = ''] = (step.args.at(-1) ?? '').split(' ');
        const root = this.snapshots.mount(step.snapshotId);
        if (verb === 'write') await writeFile(join(root, first), second);
        if (verb === 'say') onOutput(Buffer.from(`${first}\n`));
        if (verb === 'meet') {
          this.#met += 1;
          if (this.#met === 2) this.#meeting.resolve();
          await this.#meeting.promise;
        }
        if (verb === 'hang') {
          const { promise, resolve } = Promise.withResolvers<void>();
          signal.addEventListener('abort', () => resolve());
          this.onHang();
          await promise;
          return 137;
        }
        return verb === 'fail' ? Number(first) : 0;
      },
    };
  }
}

describe('a build', () => {
  test('of one stage: layers, configuration, history, events', async (t) => {
    const world = await World.create(t);
    const id = await world.build('FROM base\nARG A=1\nENV B=$A\nRUN write out $B\nCMD ["x"]\nLABEL z=1', {
      labels: { b: '2', a: '1' },
      tags: ['app', 'reg:5000/app:2'],
    });
    const config = world.config(id);
    assert.equal(
      world.snapshots.read(config.rootfs.diff_ids.length === 2 ? world.images.find(id)!.topLayer! : 'sha256:', 'out'),
      '$B',
    );
    assert.deepEqual(config.config, {
      Env: ['PATH=/bin', 'B=1'],
      Cmd: ['x'],
      Labels: { z: '1', a: '1', b: '2' },
    });
    assert.deepEqual(
      config.history?.map((entry) => entry.created_by),
      [undefined, 'ARG A=1', 'ENV B=1', 'RUN |1 A=1 /bin/sh -c write out $B # buildkit', 'CMD ["x"]', 'LABEL z=1'],
    );
    assert.deepEqual(
      config.history?.map((entry) => entry.empty_layer === true),
      [false, true, true, false, true, true],
    );
    assert.ok(config.history?.every((entry) => entry.created !== undefined));
    assert.deepEqual(world.ran[0]?.env, ['PATH=/bin', 'B=1', 'A=1']);
    assert.equal(world.images.find('app:latest')?.id, id);
    assert.equal(world.images.find('reg:5000/app:2')?.id, id);
    assert.deepEqual(world.said.slice(0, 5), ['1/6 FROM base', 'layer', '2/6 ARG A=1', 'layer', '3/6 ENV B=$A']);
    assert.equal(world.said.at(-1), 'built');
  });

  test('again: nothing runs, the same image', async (t) => {
    const world = await World.create(t);
    const text = 'FROM base\nRUN write a 1\nRUN write b 2';
    const first = await world.build(text);
    assert.equal(await world.build(text), first);
    assert.equal(world.ran.length, 2);
    assert.equal(world.said.filter((line) => line === 'cached').length, 2);
    await world.open();
    assert.equal(await world.build(text), first, 'also after a restart');
    assert.equal(world.ran.length, 2);
    await world.build(text, { noCache: true });
    assert.equal(world.ran.length, 4);
  });

  test('what decides the key of a RUN', async (t) => {
    const world = await World.create(t);
    const ran = async (text: string, change: Partial<BuildRequest> = {}): Promise<number> => {
      const before = world.ran.length;
      await world.build(text, change);
      return world.ran.length - before;
    };
    assert.equal(await ran('FROM base\nARG A\nRUN write a 1', { buildArgs: { A: '1' } }), 1);
    assert.equal(await ran('FROM base\nARG A\nRUN write a 1', { buildArgs: { A: '2' } }), 1, 'an argument it sees');
    assert.equal(
      await ran('FROM base\nARG A\nRUN write a 1', { buildArgs: { A: '1', B: '1' } }),
      0,
      'one it does not see',
    );
    assert.equal(
      await ran('FROM base\nARG A\nRUN write a 1', { buildArgs: { A: '1', http_proxy: 'p' } }),
      0,
      'a proxy',
    );
    assert.equal(await ran('FROM base\nRUN write a 1'), 1, 'no argument');
    assert.equal(await ran('FROM base\nLABEL x=1\nEXPOSE 80\nRUN write a 1'), 0, 'labels and ports');
    assert.equal(await ran('FROM base\nENV X=1\nRUN write a 1'), 1, 'the environment');
    assert.equal(await ran('FROM base\nUSER 1\nRUN write a 1'), 1, 'the user');
    assert.equal(await ran('FROM base\nRUN --network=none write a 1'), 1, 'the network');
    assert.equal(await ran('FROM base\nRUN ["write a 1"]'), 1, 'the form');
  });

  test('stages: only what is needed, bases and arguments carry over', async (t) => {
    const world = await World.create(t);
    const text =
      'FROM base AS a\nARG X=1\nENV E=1\nRUN write a 1\nFROM base AS unused\nRUN fail 1\nFROM a\nRUN write b $X';
    const id = await world.build(text);
    assert.equal(world.ran.length, 2);
    assert.deepEqual(world.ran[1]?.env, ['PATH=/bin', 'E=1', 'X=1']);
    assert.equal(world.config(id).rootfs.diff_ids.length, 3);
    assert.deepEqual(world.said.filter((line) => line.includes('/')).map((line) => line.split(' ')[0]), [
      '1/6', '2/6', '3/6', '4/6', '5/6', '6/6',
    ]); // prettier-ignore
  });

  test('independent stages are built at once, and speak one after the other', async (t) => {
    const world = await World.create(t);
    const text =
      'FROM base AS a\nRUN meet a\nRUN say a\nFROM base AS b\nRUN meet b\nRUN say b\nFROM scratch\nRUN --mount=from=a,target=/a --mount=from=b,target=/b say c';
    await world.build(text);
    const lines = world.said.filter((line) => /^(\d|[abc]$)/.test(line)).map((line) => line.split(' ')[0]);
    assert.deepEqual(lines, ['1/8', '2/8', '3/8', 'a', '4/8', '5/8', '6/8', 'b', '7/8', '8/8', 'c']);
  });

  test('ONBUILD of an image and of a stage', async (t) => {
    const world = await World.create(t);
    world.images.offer('trigger:latest', undefined, { OnBuild: ['RUN say one', 'ENV T=1'] });
    const id = await world.build('FROM trigger\nRUN say $T');
    assert.deepEqual(world.said.slice(0, 4), ['1/2 FROM trigger', 'layer', '# Executing 2 build triggers', 'one']);
    assert.equal(world.config(id).config?.OnBuild, undefined);
    assert.deepEqual(world.ran[1]?.env.includes('T=1'), true);
    const kept = await world.build('FROM base AS b\nONBUILD USER u');
    assert.deepEqual(world.config(kept).config?.OnBuild, ['USER u']);
    const used = await world.build('FROM base AS b\nONBUILD USER u\nFROM b');
    assert.equal(world.config(used).config?.User, 'u');
    assert.equal(world.config(used).config?.OnBuild, undefined);
  });

  test('bases are pulled when they are missing, or when asked to, once', async (t) => {
    const world = await World.create(t);
    world.images.offer('far:1', undefined, {}, 'remote');
    await world.build('FROM far:1 AS a\nUSER a\nFROM far:1\nRUN --mount=from=a,target=/a x');
    assert.deepEqual(world.images.pulls, ['far:1']);
    await world.build('FROM far:1\nUSER a');
    assert.deepEqual(world.images.pulls, ['far:1']);
    await world.build('FROM far:1\nUSER a', { pull: true });
    assert.deepEqual(world.images.pulls, ['far:1', 'far:1']);
  });

  test('SOURCE_DATE_EPOCH is the time of creation', async (t) => {
    const world = await World.create(t);
    const id = await world.build('FROM base\nUSER a', { buildArgs: { SOURCE_DATE_EPOCH: '86400' } });
    assert.equal(world.config(id).created, '1970-01-02T00:00:00.000Z');
  });

  test('limits, mounts and inline scripts reach the step', async (t) => {
    const world = await World.create(t);
    await writeFile(join(world.folder, 'context', 'file'), 'x');
    const mounts = '--mount=target=/c --mount=type=tmpfs,target=t,size=1m --mount=type=secret,id=s --mount=type=ssh';
    await world.build(`FROM base\nRUN ${mounts} say hi\nRUN <<EOF\n#!/bin/x\nbody\nEOF\nRUN cat <<A\none\nA`, {
      memoryBytes: 5,
      ulimits: [{ name: 'nofile', soft: 1, hard: 2 }],
      extraHosts: ['a:1'],
      networkMode: 'none',
    });
    const [first, script, cat] = world.ran;
    assert.deepEqual(
      first?.mounts.map(({ type, target, readOnly }) => [type, target, readOnly]),
      [
        ['bind', '/c', true],
        ['tmpfs', '/t', false],
      ],
    );
    assert.equal(first.mounts[1]?.tmpfsSizeBytes, 1024 * 1024);
    assert.deepEqual(
      [first.memoryBytes, first.networkMode, first.ulimits?.[0]?.hard, first.extraHosts],
      [5, 'none', 2, ['a:1']],
    );
    assert.deepEqual(script?.args, ['/dev/pipes/EOF']);
    assert.equal(script.mounts[0]?.target, '/dev/pipes');
    assert.deepEqual(cat?.args, ['/bin/sh', '-c', 'cat <<A\none\nA']);
  });

  test('a build argument that nobody asks for is said', async (t) => {
    const world = await World.create(t);
    await world.build('FROM base\nUSER a', { buildArgs: { WHAT: '1' } });
    assert.equal(world.said[0], 'One or more build-args [WHAT] were not consumed');
  });
});

describe('a build that fails', () => {
  async function refused(world: World, text: string, change: Partial<BuildRequest> = {}): Promise<StatusError> {
    const before = world.snapshots.layers().length;
    const error = await world.build(text, change).then(
      () => assert.fail('it should fail'),
      (caught: unknown) => caught,
    );
    assert.ok(error instanceof StatusError, String(error));
    assert.deepEqual(world.snapshots.writables(), [], 'no snapshot stays');
    assert.deepEqual(await readdir(join(world.folder, 'build', 'tmp')), []);
    assert.equal(world.snapshots.layers().length, before, 'no layer stays');
    return error;
  }

  test('RUN with an exit code: the sentence, the place, the excerpt, the code', async (t) => {
    const world = await World.create(t);
    const error = await refused(world, 'FROM base\nUSER a\nRUN fail 42\nUSER b');
    assert.ok(error instanceof StepError);
    assert.equal(error.exitCode, 42);
    assert.equal(error.reason, 'InvalidArgument');
    assert.equal(error.problems[0]?.path, 'Dockerfile:3');
    assert.match(error.message, /^The command '\/bin\/sh -c fail 42' returned a non-zero code: 42\n/);
    assert.match(error.message, / {3}3 \| >>> RUN fail 42/);
  });

  const table: readonly (readonly [string, Partial<BuildRequest>, string, RegExp, string | undefined])[] = [
    ['FROM nowhere:1', {}, 'NotFound', /manifest for nowhere:1 not found/, 'Dockerfile:1'],
    ['FROM UPPER', {}, 'InvalidArgument', /must be lowercase/, 'Dockerfile:1'],
    ['FROM --platform=plan9/amd64 base', {}, 'NotSupported', /only linux is supported/, 'Dockerfile:1'],
    ['FROM base\nENV A=${B:?say}', {}, 'InvalidArgument', /B: say/, 'Dockerfile:2'],
    ['FROM base\nWORKDIR $NO', {}, 'InvalidArgument', /WORKDIR is empty/, 'Dockerfile:2'],
    ['FROM base\nCOPY nofile /', {}, 'NotFound', /stat nofile: file does not exist/, 'Dockerfile:2'],
    ['FROM base\nCOPY http://x/y /', {}, 'InvalidArgument', /source can't be a URL for COPY/, 'Dockerfile:2'],
    ['FROM base\nCOPY --chmod=9 x /', {}, 'InvalidArgument', /invalid chmod parameter/, 'Dockerfile:2'],
    ['FROM base\nADD git@h:r.git /x', {}, 'NotSupported', /git repositories are not supported/, 'Dockerfile:2'],
    ['FROM base\nADD --checksum=sha256:0 a /x', {}, 'InvalidArgument', /checksum requires HTTP/, 'Dockerfile:2'],
    ['FROM base\nRUN --security=insecure x', {}, 'Forbidden', /security.insecure is not allowed/, 'Dockerfile:2'],
    ['FROM base\nRUN --network=host x', {}, 'Forbidden', /network.host is not allowed/, 'Dockerfile:2'],
    ['FROM base\nRUN --device=gpu x', {}, 'NotSupported', /--device/, 'Dockerfile:2'],
    ['FROM base\nRUN --mount=type=secret,id=a,required x', {}, 'NotSupported', /session/, 'Dockerfile:2'],
    ['FROM base\nRUN --mount=target=/ x', {}, 'InvalidArgument', /invalid mount target/, 'Dockerfile:2'],
    ['FROM base\nRUN --mount=target=/x,source=no x', {}, 'NotFound', /stat no: file does not exist/, 'Dockerfile:2'],
    ['FROM base\nNONSENSE', {}, 'InvalidArgument', /unknown instruction: NONSENSE/, 'Dockerfile:2'],
    ['FROM base', { target: 'no' }, 'InvalidArgument', /target stage "no" could not be found/, undefined],
    ['FROM base', { tags: ['UPPER'] }, 'InvalidArgument', /must be lowercase/, undefined],
  ];
  for (const [text, change, reason, message, place] of table)
    test(text.replaceAll('\n', ' | '), async (t) => {
      const error = await refused(await World.create(t), text, change);
      assert.equal(error.reason, reason);
      assert.match(error.message, message);
      assert.equal(error.problems[0]?.path, place);
    });

  test('a broken .dockerignore, the one beside the Dockerfile first', async (t) => {
    const world = await World.create(t);
    await writeFile(join(world.folder, 'context', '.dockerignore'), '[');
    assert.match((await refused(world, 'FROM base')).message, /error reading .dockerignore: syntax error/);
    await writeFile(join(world.folder, 'context', 'Dockerfile.dockerignore'), '!');
    assert.match(
      (await refused(world, 'FROM base')).message,
      /error reading Dockerfile.dockerignore: illegal exclusion/,
    );
  });

  test('the other stages are ended, and what they said is said', async (t) => {
    const world = await World.create(t);
    const text =
      'FROM base AS a\nRUN hang\nFROM base AS b\nRUN say b\nRUN fail 3\nFROM scratch\nRUN --mount=from=a,target=/a --mount=from=b,target=/b x';
    const error = await world.build(text).then(() => undefined, (caught: unknown) => caught); // prettier-ignore
    assert.ok(error instanceof StepError);
    assert.equal(error.exitCode, 3);
    assert.ok(world.said.includes('b'));
    assert.deepEqual(world.snapshots.writables(), []);
  });

  test('aborted in the middle: the reason comes out, nothing stays, the next build works', async (t) => {
    const world = await World.create(t);
    const controller = new AbortController();
    world.onHang = () => controller.abort(new Error('enough'));
    await assert.rejects(world.build('FROM base\nRUN hang', {}, controller.signal), /enough/);
    assert.deepEqual(world.snapshots.writables(), []);
    await world.build('FROM base\nRUN say hi');
  });
});

describe('the cache', () => {
  test('a layer that was removed is made again', async (t) => {
    const world = await World.create(t);
    const text = 'FROM scratch\nRUN write a 1';
    const id = await world.build(text);
    const layer = world.images.find(id)?.topLayer;
    assert.ok(layer);
    await world.snapshots.removeLayer(layer);
    await world.build(text);
    assert.equal(world.ran.length, 2);
    assert.ok(world.snapshots.layer(layer));
  });

  test('two builds of the same do the work once', async (t) => {
    const world = await World.create(t);
    const text = 'FROM scratch\nRUN write a 1\nRUN write b 1';
    await world.open();
    const [one, other] = await Promise.all([world.build(text), world.build(text)]);
    assert.equal(one, other);
    assert.equal(world.ran.length, 2);
  });

  test('an aborted build does not take the one that waits for it along', async (t) => {
    const world = await World.create(t);
    await world.open();
    const first = new AbortController();
    const second = new AbortController();
    let hanging = 0;
    world.onHang = () => {
      hanging += 1;
      if (hanging === 1) first.abort(new Error('first'));
      else second.abort(new Error('second'));
    };
    const text = 'FROM scratch\nRUN hang';
    const results = await Promise.allSettled([
      world.build(text, {}, first.signal),
      world.build(text, {}, second.signal),
    ]);
    assert.deepEqual(
      results.map((result) => (result.status === 'rejected' ? (result.reason as Error).message : '')),
      ['first', 'second'],
    );
    assert.equal(hanging, 2);
  });

  test('pruning takes away what only the cache holds', async (t) => {
    const world = await World.create(t);
    const builder = await world.open();
    const text = 'FROM base AS a\nRUN write a 1\nFROM base\nRUN --mount=from=a,target=/a write b 1';
    await world.build(text);
    const layers = world.snapshots.layers().length;
    const { removed, freedBytes } = await builder.pruneCache(never);
    assert.deepEqual([removed.length, freedBytes, layers - world.snapshots.layers().length], [1, 1, 1]);
    await world.build(text);
    assert.equal(world.ran.length, 4);
  });

  test('at start the leftovers of a crash are swept, and nothing else', async (t) => {
    const world = await World.create(t);
    await world.build('FROM base\nRUN write a 1');
    const kept = world.snapshots.layers().length;
    await world.snapshots.create('build-123', undefined);
    await world.snapshots.create('f00', undefined);
    await world.snapshots.make(undefined, { orphan: 'x' });
    await mkdir(join(world.folder, 'build', 'tmp', 'old'));
    await appendFile(join(world.folder, 'build', 'steps.jsonl'), '{"key":"half');
    await world.open();
    assert.deepEqual(world.snapshots.writables(), ['f00']);
    assert.equal(world.snapshots.layers().length, kept);
    assert.deepEqual(await readdir(join(world.folder, 'build', 'tmp')), []);
    await world.build('FROM base\nRUN write a 1');
    assert.equal(world.ran.length, 1, 'the cache is intact');
    assert.doesNotMatch(await readFile(join(world.folder, 'build', 'steps.jsonl'), 'utf8'), /half/);
  });
});
