import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { isGitUrl, parseGitUrl, withoutCredentials } from '#formats/git-url.ts';
import { extractTar } from '#sys/tree/extract-tar.ts';
import { removeTree } from '#sys/tree/remove-tree.ts';
import { walkTree } from '#sys/tree/walk-tree.ts';
import { decompress } from '../stream/decompress.ts';
import type { BuildSession } from './builder.ts';
import { fetchUrl } from './fetch-url.ts';
import { isArchive } from './files/is-archive.ts';
import { isFolderIn, resolveInRoot } from './files/resolve-in-root.ts';
import { plainFilesOnly } from './files/plain-files-only.ts';
import { fetchRepository } from './git/fetch-repository.ts';

export interface ContextFetch {
  /** Empty. */
  readonly folder: string;
  readonly scratchDir: string;
  readonly session: BuildSession | undefined;
  /** A context has no `.git` without it, as in BuildKit. */
  readonly keepGitDir?: boolean;
  readonly proxy: Readonly<Record<string, string | undefined>>;
}

/** The largest lone Dockerfile. */
const maxDockerfileBytes = 4 * 1024 * 1024;

/** See Builder.fetchContext. */
export async function fetchContext(url: string, fetch: ContextFetch, signal: AbortSignal): Promise<string> {
  if (isGitUrl(url)) return await fetchGitContext(url, fetch, signal);
  if (!/^https?:\/\//i.test(url))
    throw new StatusError(
      'InvalidArgument',
      `Cannot build from "${url}": a context from afar is a git repository, or an archive or a Dockerfile by http or https`,
    );
  const scratch = await mkdtemp(join(fetch.scratchDir, 'context-'));
  try {
    const path = join(scratch, 'body');
    const { sizeBytes } = await fetchUrl(url, { path, checksum: '', proxy: fetch.proxy }, signal);
    if (await isArchive(path)) {
      const tar = decompress(createReadStream(path));
      const owner = { uid: 0, gid: 0 };
      await extractTar({ root: fetch.folder, path: '', tar, owner, transform: plainFilesOnly }, signal);
      return fetch.folder;
    }
    const bytes = sizeBytes > maxDockerfileBytes ? undefined : await readFile(path);
    if (bytes === undefined || bytes.includes(0))
      throw new StatusError(
        'InvalidArgument',
        `Cannot build from "${withoutCredentials(url)}": it is neither an archive (tar, gzip, zstd) nor a Dockerfile`,
      );
    await writeFile(join(fetch.folder, 'Dockerfile'), bytes);
    return fetch.folder;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function fetchGitContext(text: string, fetch: ContextFetch, signal: AbortSignal): Promise<string> {
  const { folder, keepGitDir = false } = fetch;
  const url = parseGitUrl(text);
  await fetchRepository({ ...fetch, url }, signal);
  if (!(url.keepGitDir ?? keepGitDir)) await removeGitFiles(folder);
  const found = isFolderIn(folder, url.subdir) ? resolveInRoot(folder, url.subdir) : undefined;
  if (found !== undefined) return found.path;
  throw new StatusError(
    'NotFound',
    `Cannot build from "${withoutCredentials(text)}": it has no folder "${url.subdir}"`,
  );
}

/** The repository's own, and those of its submodules. */
async function removeGitFiles(folder: string): Promise<void> {
  const found = [...walkTree(folder)].map(({ path }) => path).filter((path) => /(^|\/)\.git$/.test(path));
  for (const path of found) await removeTree(join(folder, path));
}
