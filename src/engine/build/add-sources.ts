import { mkdtemp, rm } from 'node:fs/promises';
import { join, posix } from 'node:path';

import { StatusError } from '#base/errors.ts';
import type { AddInstruction } from '#formats/dockerfile/dockerfile.ts';
import { parseDockerignore } from '#formats/dockerignore.ts';
import { checkedCommit, isGitUrl, parseGitUrl } from '#formats/git-url.ts';
import { removeTree } from '#sys/tree/remove-tree.ts';
import type { BuildJob } from './build-job.ts';
import { fetchUrl } from './fetch-url.ts';
import { isArchive } from './files/is-archive.ts';
import { selectFiles } from './files/select-files.ts';
import { fetchedItem, type SourceItem } from './files/source-item.ts';
import { fetchRepository } from './git/fetch-repository.ts';

interface AddRequest {
  readonly sources: readonly string[];
  readonly destination: string;
  readonly exclude: readonly string[];
}

/** What ADD reads: files of the context, archives in it (marked to be unpacked), what URLs lead to, repositories. */
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
    if (isGitUrl(source)) {
      items.push(...(await fetchTree(job, instruction, { source, exclude }, stack, signal)));
      continue;
    }
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

/** The files of a repository, as if they were a folder of the context. */
async function fetchTree(
  job: BuildJob,
  { checksum, keepGitDir }: AddInstruction,
  { source, exclude }: { readonly source: string; readonly exclude: readonly string[] },
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<readonly SourceItem[]> {
  const parsed = parseGitUrl(source);
  const url = checksum === '' ? parsed : { ...parsed, commit: checkedCommit(checksum) };
  const folder = await mkdtemp(join(job.folder, 'git-'));
  stack.defer(() => removeTree(folder));
  const { request, proxy } = job;
  await fetchRepository({ url, folder, scratchDir: job.folder, session: request.session, proxy }, signal);
  const without = (url.keepGitDir ?? keepGitDir) ? [] : ['**/.git'];
  const selection = { root: folder, sources: [`/${url.subdir}`], exclude: [...exclude, ...without] };
  return await selectFiles({ ...selection, parents: false, ignore: parseDockerignore('') }, signal);
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
  const { sizeBytes, mtimeNs } = await fetchUrl(url, { path, checksum, proxy: job.proxy }, signal);
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

async function markArchive(item: SourceItem): Promise<SourceItem> {
  const [first] = item.entries;
  const isFile = !item.isFolder && first?.entry.type === 'file' && 'path' in first.from;
  return isFile && (await isArchive(first.from.path)) ? { ...item, isArchive: true } : item;
}
