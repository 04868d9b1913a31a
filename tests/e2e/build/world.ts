import { lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { silentLogger } from '#base/logger.ts';
import type { BuildEvent, Builder, BuildRequest, StepRunner } from '#engine/build/builder.ts';
import { openBuilder } from '#engine/build/open-builder.ts';
import { createEventLog } from '#engine/events/create-event-log.ts';
import type { Image } from '#engine/images/images.ts';
import { openSnapshots } from '#engine/snapshots/open-snapshots.ts';
import type { Snapshots } from '#engine/snapshots/snapshots.ts';
import { walkTree } from '#sys/tree/walk-tree.ts';
import { FakeImages } from '../../kit/fake-images.ts';
import { makeRoot } from '../../kit/temp-root.ts';

export const never = new AbortController().signal;

/** A builder with everything below it, and a context to put files into. */
export interface World {
  readonly folder: string;
  readonly context: string;
  readonly snapshots: Snapshots;
  readonly builder: Builder;
  build(dockerfile: string, change?: BuildChange, signal?: AbortSignal): Promise<Built>;
}

interface BuildChange extends Partial<BuildRequest> {
  /** Called when a command prints something. */
  readonly onOutput?: () => void;
}

interface Built {
  readonly image: Image;
  readonly events: readonly BuildEvent[];
  /** What RUN printed. */
  readonly output: string;
  /** Every file of the image as `path mode uid:gid content`, sorted by path. */
  readonly files: (below?: string) => Promise<readonly string[]>;
}

/** No command can be run: for tests of files. */
const noRunner: StepRunner = { canRun: () => false, run: () => Promise.reject(new Error('no RUN in these tests')) };

/** Everything but RUN: real snapshots, images in memory. */
export async function openFileWorld(): Promise<World & AsyncDisposable> {
  const folder = makeRoot();
  const snapshots = await openSnapshots({ dataDir: join(folder, 'snapshots'), logger: silentLogger });
  const { images } = new FakeImages();
  const events = createEventLog();
  const options = { dataDir: join(folder, 'build'), images, snapshots, events, steps: noRunner, logger: silentLogger };
  const builder = await openBuilder(options, never);
  const close = async (): Promise<void> => {
    await builder[Symbol.asyncDispose]();
    await snapshots[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  };
  return { ...worldOf(folder, snapshots, builder, (id) => images.find(id)), [Symbol.asyncDispose]: close };
}

export function worldOf(
  folder: string,
  snapshots: Snapshots,
  builder: Builder,
  find: (id: string) => Image | undefined,
): World {
  const context = join(folder, 'context');
  mkdirSync(context, { recursive: true });
  const build: World['build'] = async (dockerfile, { onOutput, ...change } = {}, signal = never) => {
    const events: BuildEvent[] = [];
    const onEvent = (event: BuildEvent): void => {
      events.push(event);
      if (event.kind === 'output') onOutput?.();
    };
    const id = await builder.build(requestOf(context, dockerfile, change), onEvent, signal);
    const image = find(id);
    if (image === undefined) throw new Error(`the image ${id} is not there`);
    const bytes = events.flatMap((event) => (event.kind === 'output' ? [event.bytes] : []));
    const output = Buffer.concat(bytes).toString();
    return { image, events, output, files: (below = '') => listFiles(snapshots, image, below) };
  };
  return { folder, context, snapshots, builder, build };
}

function requestOf(contextDir: string, dockerfile: string, change: Partial<BuildRequest>): BuildRequest {
  return {
    contextDir,
    dockerfileName: 'Dockerfile',
    dockerfile,
    tags: [],
    buildArgs: {},
    target: '',
    labels: {},
    noCache: false,
    pull: false,
    networkMode: 'none',
    extraHosts: [],
    auth: () => undefined,
    ...change,
  };
}

async function listFiles(snapshots: Snapshots, { topLayer }: Image, below: string): Promise<readonly string[]> {
  await snapshots.create('look', topLayer);
  try {
    const root = snapshots.mount('look');
    return listBelow(join(root, below)).map((path) => describe(join(root, below, path), `${below}/${path}`));
  } finally {
    await snapshots.remove('look');
  }
}

/** Never through links. */
function listBelow(folder: string): readonly string[] {
  return [...walkTree(folder)].flatMap(({ path }) => (path === '' ? [] : [path])).sort();
}

function describe(path: string, shown: string): string {
  const stats = lstatSync(path);
  const mode = (stats.mode & 0o7777).toString(8);
  const owner = `${String(stats.uid)}:${String(stats.gid)}`;
  if (stats.isSymbolicLink()) return `${shown} -> ${readlinkSync(path)} ${owner}`;
  if (stats.isDirectory()) return `${shown}/ ${mode} ${owner}`;
  return `${shown} ${mode} ${owner} ${stats.isFile() ? readFileSync(path, 'utf8').slice(0, 40) : 'special'}`;
}
