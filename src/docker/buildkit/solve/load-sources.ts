import { StatusError } from '#base/errors.ts';
import { dockerignorePatterns } from '#formats/dockerignore.ts';

import { readContextFile } from '../../build/build-context.ts';
import type { Uploads } from '../../uploads.ts';
import { Task } from '../progress/task.ts';
import type { ClientSession } from '../session/client-session.ts';
import { syncFolder } from '../session/session-files.ts';
import type { ActiveBuild } from './active-build.ts';
import type { FrontendOptions } from './frontend-options.ts';

const ignoreName = '.dockerignore';

/** The session that serves a folder of the client. */
export type SessionOf = (folder: string) => ClientSession;

interface LoadedDockerfile {
  readonly text: string;
  /** What the context leaves out: text of the Dockerfile's own ignore file, or of the context's. */
  readonly ignore: string;
}

/** Fetches the Dockerfile and the patterns of what to ignore. Throws NotFound in BuildKit's words. */
export async function loadDockerfile(
  uploads: Uploads,
  build: ActiveBuild,
  sessionOf: SessionOf,
  options: FrontendOptions,
): Promise<LoadedDockerfile> {
  const { log, ref, signal } = build;
  const { dockerfileName: name, dockerfileFolder, contextFolder } = options;
  const task = dockerfileTask(build, options);
  const ignoreTask = new Task(log, `${ref} ignore`, `[internal] load ${ignoreName}`);
  await using upload = await uploads.create();
  await using ignoreUpload = await uploads.create();
  const names = name === 'Dockerfile' ? [name, name.toLowerCase()] : [name];
  const [text, general] = await Promise.all([
    task.run(async () => {
      const paths = [...names, `${name}${ignoreName}`];
      await syncFolder(
        sessionOf(dockerfileFolder),
        { folder: dockerfileFolder, paths },
        { root: upload.path, task },
        signal,
      );
      for (const candidate of names) {
        const found = await readContextFile(upload.path, candidate);
        if (found !== undefined) return found;
      }
      throw missingDockerfile(name);
    }),
    ignoreTask.run(async () => {
      const target = { root: ignoreUpload.path, task: ignoreTask };
      await syncFolder(sessionOf(contextFolder), { folder: contextFolder, paths: [ignoreName] }, target, signal);
      return await readContextFile(ignoreUpload.path, ignoreName);
    }),
  ]);
  return { text, ignore: (await readContextFile(upload.path, `${name}${ignoreName}`)) ?? general ?? '' };
}

/** The task of fetching the Dockerfile; asked for again it is the same one. */
export function dockerfileTask({ log, ref }: ActiveBuild, { dockerfileName }: FrontendOptions): Task {
  return new Task(log, `${ref} dockerfile`, `[internal] load build definition from ${dockerfileName}`);
}

/** In BuildKit's words. */
export function missingDockerfile(name: string): StatusError {
  return new StatusError('NotFound', `failed to read dockerfile: open ${name}: no such file or directory`);
}

interface WantedContext {
  readonly options: FrontendOptions;
  readonly ignore: string;
  /** All of it when not given. */
  readonly paths: readonly string[] | undefined;
  readonly root: string;
}

/** Makes the folder `root` equal to the client's context, or to these paths of it, without what is ignored. */
export async function loadContext(
  { log, ref, signal }: ActiveBuild,
  sessionOf: SessionOf,
  { options, ignore, paths = [], root }: WantedContext,
): Promise<void> {
  const task = new Task(log, `${ref} context`, '[internal] load build context');
  const wanted = { folder: options.contextFolder, paths, exclude: dockerignorePatterns(ignore) };
  await task.run(() => syncFolder(sessionOf(wanted.folder), wanted, { root, task }, signal));
}

/** Makes the folder `root` equal to one that the client named by `--build-context`, without what it ignores. */
export async function loadNamedContext(
  uploads: Uploads,
  { log, ref, signal }: ActiveBuild,
  sessionOf: SessionOf,
  { name, folder, root }: { readonly name: string; readonly folder: string; readonly root: string },
): Promise<void> {
  const task = new Task(log, `${ref} context ${name}`, `[context ${name}] load from client`);
  await task.run(async () => {
    await using upload = await uploads.create();
    await syncFolder(sessionOf(folder), { folder, paths: [ignoreName] }, { root: upload.path, task }, signal);
    const exclude = dockerignorePatterns((await readContextFile(upload.path, ignoreName)) ?? '');
    await syncFolder(sessionOf(folder), { folder, exclude }, { root, task }, signal);
  });
}
