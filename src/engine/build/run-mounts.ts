import { statSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, posix } from 'node:path';

import { StatusError } from '#base/errors.ts';
import type { JsonValue } from '#base/json.ts';
import type { RunInstruction } from '#formats/dockerfile/dockerfile.ts';
import { parseRunMount, type RunMount } from '#formats/dockerfile/run-mount.ts';
import type { Digest } from '#formats/oci.ts';
import { layerOf, type StageScope } from './build-job.ts';
import type { StepMount } from './builder.ts';
import { type ContextTree, readContextTree } from './context-tree.ts';
import { copyFiles } from './files/copy-files.ts';
import { hashFiles } from './files/hash-files.ts';
import { resolveInRoot } from './files/resolve-in-root.ts';
import { selectFiles } from './files/select-files.ts';
import type { SourceItem } from './files/source-item.ts';
import { originOf } from './plan.ts';
import { givenArg } from './variables.ts';

/** A mount of RUN whose source is known; `key` is its part of the step's key. */
export interface PlannedMount {
  readonly mount: RunMount;
  /** Absolute in the container. */
  readonly target: string;
  readonly source:
    | { readonly layer: Digest | undefined }
    | { readonly items: readonly SourceItem[]; readonly tree: ContextTree }
    | 'none';
  readonly key: JsonValue;
}

const root = { uid: 0, gid: 0 };

/** Finds out where the mounts of a RUN come from, those of the client's session aside. */
export async function planMounts(
  scope: StageScope,
  instruction: RunInstruction,
  context: { readonly cwd: string; readonly expand: (text: string) => string },
  signal: AbortSignal,
): Promise<readonly PlannedMount[]> {
  const planned: PlannedMount[] = [];
  for (const text of instruction.mounts) {
    const mount = parseRunMount(text, context.expand);
    if (mount.type !== 'secret' && mount.type !== 'ssh')
      planned.push(await planMount(scope, instruction, mount, context.cwd, signal));
  }
  return planned;
}

/** Makes the sources of the mounts; all that was made is owned by the stack. */
export async function openMounts(
  { job }: StageScope,
  planned: readonly PlannedMount[],
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<readonly StepMount[]> {
  const mounts: StepMount[] = [];
  for (const { mount, target, source } of planned) {
    if (mount.type === 'tmpfs') {
      const size = mount.sizeBytes === 0 ? {} : { tmpfsSizeBytes: mount.sizeBytes };
      mounts.push({ type: 'tmpfs', source: '', target, readOnly: mount.readOnly, ...size });
      continue;
    }
    const bind = { type: 'bind', target, readOnly: mount.readOnly } as const;
    if (mount.type !== 'cache' && source !== 'none' && 'layer' in source) {
      const { id, root } = stack.use(await job.steps.openSnapshot(source.layer));
      mounts.push({ ...bind, source: inside(root, mount.source), snapshotId: id });
      continue;
    }
    const open = async (): Promise<string> => {
      if (source === 'none') return '';
      if ('layer' in source) return stack.use(await job.steps.openSnapshot(source.layer)).root;
      return await openContext(job, mount, source, stack, signal);
    };
    const path = mount.type === 'cache' ? await openCache({ job }, mount, open, stack, signal) : await open();
    mounts.push({ ...bind, source: path });
  }
  return mounts;
}

async function planMount(
  scope: StageScope,
  { at }: RunInstruction,
  mount: RunMount,
  cwd: string,
  signal: AbortSignal,
): Promise<PlannedMount> {
  const { job, index } = scope;
  const target = mountTarget(mount.target, cwd);
  const plain: JsonValue = [mount.type, target, mount.source, mount.readOnly, mount.sizeBytes];
  if (mount.type === 'tmpfs' || (mount.type === 'cache' && mount.from === ''))
    return { mount, target, source: 'none', key: [plain, mount.id] };
  const origin = mount.from === '' ? undefined : originOf(job, mount.from, index, at);
  if (origin !== undefined && origin.kind !== 'folder') {
    const layer = await layerOf(scope, origin, signal);
    return { mount, target, source: { layer }, key: [plain, mount.id, layer ?? null] };
  }
  const tree = origin === undefined ? job.context : await readContextTree(origin.path, ['.dockerignore']);
  const sources = [mount.source === '' ? '/' : mount.source];
  const items = await selectFiles({ ...tree, sources, parents: false, exclude: [] }, signal);
  const content = await hashFiles(items, { owners: false }, signal);
  return { mount, target, source: { items, tree }, key: [plain, content] };
}

/**
 * The context itself when it is only read, nothing in it is ignored and any user may look into it, else a copy: what RUN
 * writes is thrown away, and ignored files are not there.
 */
async function openContext(
  job: StageScope['job'],
  mount: RunMount,
  { items, tree }: { readonly items: readonly SourceItem[]; readonly tree: ContextTree },
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<string> {
  const original = inside(tree.root, mount.source);
  const isOpen = (statSync(original).mode & 0o005) === 0o005 || items[0]?.isFolder !== true;
  if (mount.readOnly && tree.ignore.isEmpty && isOpen) return original;
  const folder = await mkdtemp(join(job.folder, 'mount-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const [item] = items;
  const destination = item?.isFolder === true ? '/data/' : '/data';
  await mkdir(join(folder, 'root'));
  const options = { root: join(folder, 'root'), destination, owner: root, folderOwner: root, mode: undefined };
  await copyFiles(items, options, signal);
  return join(folder, 'root', 'data');
}

async function openCache(
  { job }: Pick<StageScope, 'job'>,
  mount: RunMount,
  openSource: () => Promise<string>,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<string> {
  const fill = async (folder: string): Promise<void> => {
    const from = mount.from === '' ? '' : await openSource();
    if (from === '') return;
    const sources = [mount.source === '' ? '/' : mount.source];
    const nothing = { isEmpty: true, ignores: () => false, mayTakeBack: () => false };
    const items = await selectFiles({ root: from, sources, parents: false, exclude: [], ignore: nothing }, signal);
    const options = { root: folder, destination: '/', owner: undefined, folderOwner: root, mode: undefined };
    await copyFiles(items, options, signal);
  };
  const { sharing, mode = 0o755, uid = 0, gid = 0 } = mount;
  const space = givenArg(job.request.buildArgs, 'BUILDKIT_CACHE_MOUNT_NS') ?? '';
  const id = space === '' ? mount.id : `${space}/${mount.id}`;
  return stack.use(await job.cacheMounts.acquire({ id, sharing, mode, uid, gid, fill }, signal)).path;
}

/** Absolute, without a slash at its end. Throws InvalidArgument for the root itself. */
export function mountTarget(written: string, cwd: string): string {
  const target = posix.join('/', written.startsWith('/') ? '' : cwd, written).replace(/(.)\/$/, '$1');
  if (target === '/') throw new StatusError('InvalidArgument', `invalid mount target "${written}"`);
  return target;
}

function inside(folder: string, source: string): string {
  const found = resolveInRoot(folder, source);
  if (found !== undefined) return found.path;
  throw new StatusError('NotFound', `Cannot mount "${source}": there is no such file or folder in the mount's source`);
}
