import { lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { silentLogger } from '#base/logger.ts';
import type { BuildEvent, Builder, BuildRequest, StepRunner } from '#engine/build/builder.ts';
import { openBuilder } from '#engine/build/open-builder.ts';
import { createEventLog } from '#engine/events/create-event-log.ts';
import type { Image } from '#engine/images/images.ts';
import type { Snapshots } from '#engine/snapshots/snapshots.ts';
import { walkTree } from '#sys/tree/walk-tree.ts';
import { FakeImages } from '../../kit/fake-images.ts';
import { FakeSnapshots } from '../../kit/fake-snapshots.ts';

export const never = new AbortController().signal;

/** A builder with everything below it, and a context to put files into. */
export interface World {
  readonly folder: string;
  readonly context: string;
  readonly snapshots: Snapshots;
  readonly builder: Builder;
  build(dockerfile: string, change?: Partial<BuildRequest>, signal?: AbortSignal): Promise<Built>;
}

export interface Built {
  readonly image: Image;
  readonly events: readonly BuildEvent[];
  /** What RUN printed. */
  readonly output: string;
  /** Every file of the image as `path mode uid:gid content`, sorted by path. */
  files(below?: string): Promise<readonly string[]>;
}

/** No command can be run: for tests of files. */
const noRunner: StepRunner = { run: () => Promise.reject(new Error('no RUN in these tests')) };

/** A world of plain folders: everything but RUN. */
export async function openFileWorld(folder: string): Promise<World> {
  const snapshots = new FakeSnapshots(join(folder, 'snapshots'));
  const { images } = new FakeImages();
  const events = createEventLog();
  const options = { dataDir: join(folder, 'build'), images, snapshots, events, steps: noRunner, logger: silentLogger };
  const builder = await openBuilder(options, never);
  return worldOf(folder, snapshots, builder, (id) => images.find(id));
}

export function worldOf(
  folder: string,
  snapshots: Snapshots,
  builder: Builder,
  find: (id: string) => Image | undefined,
): World {
  const context = join(folder, 'context');
  rmSync(context, { recursive: true, force: true });
  mkdirSync(context);
  const build: World['build'] = async (dockerfile, change = {}, signal = never) => {
    const events: BuildEvent[] = [];
    const id = await builder.build(requestOf(context, dockerfile, change), (event) => events.push(event), signal);
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
