import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after as afterAll, before, test } from 'node:test';

import type { ImageDefaults } from '#formats/oci.ts';
import { parseReference } from '#formats/reference.ts';
import { busyboxTar } from '../../kit/busybox-image.ts';
import { openRunWorld, type RunWorld } from './run-world.ts';
import { never } from './world.ts';

/** What BuildKit made of a Dockerfile: recorded from Docker 28.5.2 with `docker build`, `image inspect` and `history`. */
interface Transcript {
  readonly name: string;
  readonly dockerfile: readonly string[];
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Beside those that every context has. */
  readonly files: Readonly<Record<string, string>>;
  /** Fields of the image's configuration that are not empty. */
  readonly config: ImageDefaults;
  readonly author: string;
  /** `created_by` of each entry but the first, which mostly is the base image's; left out where BuildKit's own order or form is no model. */
  readonly history?: readonly string[];
  /** Lines of the image's file `/out`. */
  readonly out: readonly string[];
}

const transcripts = JSON.parse(
  readFileSync(new URL('./as-buildkit.json', import.meta.url), 'utf8'),
) as readonly Transcript[];

let world: RunWorld;

before(async () => {
  world = await openRunWorld();
  await world.images.import(busyboxTar(), { tag: parseReference('busybox:latest'), config: { Cmd: ['sh'] } }, never);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** The context that the transcripts were recorded with. */
function makeContext({ dockerfile, files }: Transcript): string {
  const folder = mkdtempSync(join(world.context, 'case-'));
  const put = (path: string, text: string, mode = 0o644): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
    chmodSync(join(folder, path), mode);
  };
  const plain = { 'a.txt': 'a', 'b.txt': 'b', 'd/e/f.txt': 'f', 'd/g.md': 'g', 'd/keep.md': 'k', 'sp ace/x': 'x' };
  for (const [path, text] of Object.entries({ ...plain, ...files, Dockerfile: dockerfile.join('\n') })) put(path, text);
  put('run.sh', '#!', 0o755);
  put('secret', 's', 0o600);
  symlinkSync('a.txt', join(folder, 'link'));
  symlinkSync('d', join(folder, 'dirlink'));
  symlinkSync('e/f.txt', join(folder, 'd/inner'));
  execFileSync('tar', ['--owner=5', '--group=6', '-cf', join(folder, 'arc.tar'), '-C', folder, 'd/e']);
  return folder;
}

/** Without what is empty, as it was recorded. */
function filled(defaults: ImageDefaults): object {
  const isEmpty = (value: unknown): boolean =>
    value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(defaults).filter(([, value]) => !isEmpty(value)));
}

for (const transcript of transcripts)
  test(`as BuildKit: ${transcript.name}`, async () => {
    const { dockerfile, buildArgs, labels, config, author, history, out } = transcript;
    const contextDir = makeContext(transcript);
    const { image } = await world.build(dockerfile.join('\n'), { contextDir, buildArgs, labels });
    assert.deepEqual(filled(image.config.config ?? {}), config);
    assert.equal(image.config.author ?? '', author);
    const own = (image.config.history ?? []).slice(1);
    if (history !== undefined)
      assert.deepEqual(
        own.map((entry) => entry.created_by),
        history,
      );
    await world.snapshots.create('look', image.topLayer);
    try {
      const lines = readFileSync(join(world.snapshots.mount('look'), 'out'), 'utf8')
        .replace(/\n$/, '')
        .split('\n');
      assert.deepEqual(lines, out);
    } finally {
      await world.snapshots.remove('look');
    }
  });
