import { mkdtemp, rm } from 'node:fs/promises';
import { join, posix } from 'node:path';

import { StatusError } from '#base/errors.ts';
import type { AddInstruction } from '#formats/dockerfile/dockerfile.ts';
import type { BuildJob } from './build-job.ts';
import { fetchUrl } from './fetch-url.ts';
import { isArchive } from './files/is-archive.ts';
import { selectFiles } from './files/select-files.ts';
import { fetchedItem, type SourceItem } from './files/source-item.ts';

interface AddRequest {
  readonly sources: readonly string[];
  readonly destination: string;
  readonly exclude: readonly string[];
}

/** What ADD reads: files of the context, archives in it (marked to be unpacked), and what URLs lead to. */
export async function addSources(
  job: BuildJob,
  instruction: AddInstruction,
  { sources, destination, exclude }: AddRequest,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<readonly SourceItem[]> {
  const { checksum } = instruction;
  if (checksum !== '' && sources.length !== 1)
    throw new StatusError('InvalidArgument', "checksum can't be specified for multiple sources");
  const items: SourceItem[] = [];
  for (const source of sources) {
    if (isGit(source))
      throw new StatusError(
        'NotSupported',
        `Cannot add "${source}": git repositories are not supported as sources of ADD; clone it into the build context`,
      );
    const isUrl = /^https?:\/\//i.test(source);
    if (checksum !== '' && !isUrl) throw new StatusError('InvalidArgument', 'checksum requires HTTP(S) or Git sources');
    const found = isUrl
      ? [await fetchItem(job, source, { checksum, destination }, stack, signal)]
      : await selectFiles({ ...job.context, sources: [source], exclude, parents: false }, signal);
    const unpack = instruction.unpack ?? !isUrl;
    items.push(...(unpack ? await Promise.all(found.map((item) => markArchive(item))) : found));
  }
  return items;
}

async function fetchItem(
  job: BuildJob,
  url: string,
  { checksum, destination }: { readonly checksum: string; readonly destination: string },
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<SourceItem> {
  const name = nameOf(url);
  if (name === '' && destination.endsWith('/'))
    throw new StatusError('InvalidArgument', `cannot determine filename from url: ${url}`);
  const folder = await mkdtemp(join(job.folder, 'url-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'body');
  const { sizeBytes, mtimeNs } = await fetchUrl(url, { path, checksum }, signal);
  return fetchedItem(name, path, sizeBytes, mtimeNs);
}

/** The last part of a URL's path. */
function nameOf(url: string): string {
  if (!URL.canParse(url)) throw new StatusError('InvalidArgument', `invalid URL: ${url}`);
  const name = posix.basename(new URL(url).pathname);
  try {
    const decoded = decodeURIComponent(name);
    return decoded.includes('/') || decoded.includes('\0') || decoded === '..' ? name : decoded;
  } catch {
    return name;
  }
}

/** Dockerfile reference, "ADD git repository": what is taken for a repository rather than a file. */
function isGit(source: string): boolean {
  return /^(git:\/\/|ssh:\/\/|git@)/i.test(source) || /^https?:\/\/[^?#]*\.git(#.*)?$/i.test(source);
}

async function markArchive(item: SourceItem): Promise<SourceItem> {
  const [first] = item.entries;
  const isFile = !item.isFolder && first?.entry.type === 'file' && 'path' in first.from;
  return isFile && (await isArchive(first.from.path)) ? { ...item, isArchive: true } : item;
}
