import { constants } from 'node:fs';
import { access, mkdtemp, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { messageOf, StatusError } from '#base/errors.ts';
import { type GitUrl, withoutCredentials } from '#formats/git-url.ts';
import { runProgram } from '#sys/run-program.ts';
import type { BuildSession } from '../builder.ts';
import { openAgentSocket } from '../ssh-agent-socket.ts';
import { type GitAccess, gitEnvironment, programFolders } from './git-environment.ts';

export interface RepositoryRequest {
  readonly url: GitUrl;
  /** An empty folder, which the working tree is made in. */
  readonly folder: string;
  /** A folder for temporary files. */
  readonly scratchDir: string;
  /** For `GIT_AUTH_TOKEN`, `GIT_AUTH_HEADER` and the SSH agent `default`, as BuildKit asks for them. */
  readonly session: BuildSession | undefined;
  readonly proxy: Readonly<Record<string, string | undefined>>;
}

/** Modes of files come from git, whatever this process's own mask is. */
const umask = 0o022;
const defaultAgent = 'default';

/**
 * Fetches one commit of a repository, with its submodules, into a folder that has its `.git` then; returns the commit.
 * Throws Unavailable when git is missing or fails, InvalidArgument when it is another commit than the URL says.
 */
export async function fetchRepository(request: RepositoryRequest, signal: AbortSignal): Promise<string> {
  const { url, folder } = request;
  const git = await findGit(url);
  await using stack = new AsyncDisposableStack();
  const home = await mkdtemp(join(request.scratchDir, 'git-home-'));
  stack.defer(() => rm(home, { recursive: true, force: true }));
  const env = gitEnvironment(url, { ...(await accessOf(request, stack, signal)), home, proxy: request.proxy });
  const run = async (...words: readonly string[]): Promise<readonly string[]> => {
    const lines: string[] = [];
    const args = [git, ...words];
    await runProgram({ args, env, cwd: folder, umask, onLine: (line) => void lines.push(line) }, signal);
    return lines;
  };
  try {
    await run('init', '--quiet', '--initial-branch=main');
    await run('remote', 'add', 'origin', url.remote);
    await fetchCommit(run, url, signal);
    const commit = (await run('rev-parse', '--verify', 'HEAD')).find((line) => /^[0-9a-f]{40,64}$/.test(line)) ?? '';
    if (!commit.startsWith(url.commit))
      throw new StatusError('InvalidArgument', `expected checksum to match ${url.commit}, got ${commit}`);
    if (url.submodules && (await exists(join(folder, '.gitmodules'))))
      await run('submodule', 'update', '--quiet', '--init', '--recursive', '--depth=1');
    return commit;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof StatusError && error.reason === 'InvalidArgument') throw error;
    throw new StatusError('Unavailable', `Cannot fetch "${shown(url)}": ${messageOf(error)}`, { cause: error });
  }
}

/** Only the commit itself, where the server can; servers of plain files and old ones give whole histories only. */
async function fetchCommit(
  run: (...words: readonly string[]) => Promise<unknown>,
  { ref }: GitUrl,
  signal: AbortSignal,
): Promise<void> {
  try {
    await run('fetch', '--quiet', '--no-tags', '--depth=1', 'origin', ref === '' ? 'HEAD' : ref);
    await run('checkout', '--quiet', '--detach', 'FETCH_HEAD');
    return;
  } catch {
    signal.throwIfAborted();
  }
  const isCommit = /^[0-9a-f]{40,64}$/.test(ref);
  if (isCommit) await run('fetch', '--quiet', '--tags', 'origin', '+refs/heads/*:refs/remotes/origin/*');
  else await run('fetch', '--quiet', '--no-tags', 'origin', ref === '' ? 'HEAD' : ref);
  await run('checkout', '--quiet', '--detach', isCommit ? ref : 'FETCH_HEAD');
}

async function accessOf(
  { url, session, scratchDir }: RepositoryRequest,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<Pick<GitAccess, 'token' | 'header' | 'agentPath'>> {
  if (session === undefined) return { token: undefined, header: undefined, agentPath: undefined };
  if (!/^https?:/.test(url.remote)) {
    if (!(await session.hasSshAgent(defaultAgent, signal)))
      return { token: undefined, header: undefined, agentPath: undefined };
    const connect = async (signal: AbortSignal) => await session.connectSshAgent(defaultAgent, signal);
    const owner = { mode: 0o600, uid: 0, gid: 0 };
    const agentPath = await openAgentSocket(scratchDir, { connect, ...owner }, stack, signal);
    return { token: undefined, header: undefined, agentPath };
  }
  const { host } = new URL(url.remote);
  const secret = async (name: string): Promise<string | undefined> => {
    const bytes = (await session.secret(`${name}.${host}`, signal)) ?? (await session.secret(name, signal));
    return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8').trim();
  };
  return { token: await secret('GIT_AUTH_TOKEN'), header: await secret('GIT_AUTH_HEADER'), agentPath: undefined };
}

async function findGit(url: GitUrl): Promise<string> {
  for (const path of programFolders.map((folder) => join(folder, 'git')))
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  throw new StatusError(
    'Unavailable',
    `Cannot fetch "${shown(url)}": git is not on this machine; install it by "apt-get install git"`,
  );
}

function shown({ remote }: GitUrl): string {
  return withoutCredentials(remote);
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
