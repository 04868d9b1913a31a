/** A pull of 20 layers, side by side with skopeo that only downloads the same blobs: `node bench/pull.ts [layers] [MB each]`. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { required } from '#base/assert.ts';
import { silentLogger } from '#base/logger.ts';
import { createEventLog } from '#engine/events/create-event-log.ts';
import type { Images } from '#engine/images/images.ts';
import { openImages } from '#engine/images/open-images.ts';
import { openSnapshots } from '#engine/snapshots/open-snapshots.ts';
import type { Snapshots } from '#engine/snapshots/snapshots.ts';
import type { Digest } from '#formats/oci.ts';
import { parseReference } from '#formats/reference.ts';
import { layerTar, noise } from '#kit/image-room.ts';
import { startRegistry } from '#kit/registry.ts';
import { toolPath } from '#kit/tools.ts';
import { syncFilesystem } from '#sys/files.ts';
import { removeTree } from '#sys/tree/remove-tree.ts';

import { CpuGroup, inGroup } from './cpu-group.ts';
import { type Sample, sample, sampleInTurns } from './sample.ts';

const rounds = 5;
const filesPerLayer = 50;
const never = new AbortController().signal;

const layers = Number(process.argv[2] ?? 20);
const layerBytes = Number(process.argv[3] ?? 4) * 1e6;
const work = mkdtempSync(join(tmpdir(), 'bench-pull-'));
const peerCpu = new CpuGroup(`slipway-bench-pull-${String(process.pid)}`);
const cleanUps: (() => Promise<void>)[] = [];
try {
  const registry = await startRegistry({ after: (cleanUp) => cleanUps.push(async () => await cleanUp()) });
  const name = `${registry.address}/bench:1`;
  await pushImage(name);
  console.log(`${String(layers)} layers of ${String(layerBytes / 1e6)} MB: ms, median (minimum), share of skopeo's`);
  await sampleInTurns(rounds, { skopeo: () => download(name), slipway: () => pull(name) });
} finally {
  for (const cleanUp of cleanUps) await cleanUp();
  await peerCpu[Symbol.asyncDispose]();
  await removeTree(work);
}

type Opened = { readonly images: Images & AsyncDisposable; readonly snapshots: Snapshots };

/** Opens the images in a folder of their own, which goes with them. */
async function withImages(task: (opened: Opened) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(work, 'images-'));
  mkdirSync(join(root, 'snapshots'));
  await using snapshots = await openSnapshots({ dataDir: join(root, 'snapshots'), logger: silentLogger });
  const common = { events: createEventLog(), users: { usersOf: () => [] }, insecureRegistries: [] };
  const options = { ...common, dataDir: join(root, 'images'), snapshots, logger: silentLogger };
  await using images = await openImages(options, never);
  await task({ images, snapshots });
  await removeTree(root);
}

async function pushImage(name: string): Promise<void> {
  const files = Array.from({ length: layers }, (_, index) => {
    const each = Array.from({ length: filesPerLayer }, (_file, file) => {
      const path = `layer${String(index)}/file${String(file)}`;
      return [path, noise(layerBytes / filesPerLayer, path)] as const;
    });
    return Object.fromEntries(each);
  });
  await withImages(async ({ images, snapshots }) => {
    const diffIds: Digest[] = [];
    let parent: Digest | undefined;
    for (const content of files) {
      const layer = await snapshots.unpack(parent, asOne(await layerTar(content)), undefined, never);
      diffIds.push(layer.diffId);
      parent = layer.chainId;
    }
    const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers' as const, diff_ids: diffIds } };
    await images.add({ config, tags: [parseReference(name)] }, never);
    await images.push(parseReference(name), {}, () => {}, never);
  });
}

async function pull(name: string): Promise<Sample> {
  let pulled: Sample | undefined;
  await withImages(async ({ images }) => {
    pulled = await sample(async () => void (await images.pull(parseReference(name), {}, () => {}, never)));
  });
  return required(pulled, 'a sample');
}

async function download(name: string): Promise<Sample> {
  const target = join(work, 'download');
  const args = ['--insecure-policy', 'copy', '-q', '--src-tls-verify=false', `docker://${name}`, `dir:${target}`];
  const [file = '', ...words] = inGroup(peerCpu, [toolPath('skopeo'), ...args]);
  const downloaded = await sample(async () => {
    execFileSync(file, words, { stdio: 'ignore' });
    await syncFilesystem(target);
  }, peerCpu);
  await removeTree(target);
  return downloaded;
}

async function* asOne(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield await Promise.resolve(bytes);
}
