import { readFile } from 'node:fs/promises';

import { reasonOf, StatusError } from '#base/errors.ts';
import { type IgnoreRules, parseDockerignore } from '#formats/dockerignore.ts';
import type { BuildRequest } from './builder.ts';
import { resolveInRoot } from './files/resolve-in-root.ts';

/** A folder that files are read from, without those that it ignores. */
export interface ContextTree {
  readonly root: string;
  readonly ignore: IgnoreRules;
}

/** The build's own context; `<Dockerfile>.dockerignore` beside the Dockerfile counts before `.dockerignore`. */
export async function buildContext({ contextDir, dockerfileName, dockerignore }: BuildRequest): Promise<ContextTree> {
  if (dockerignore !== undefined) return { root: contextDir, ignore: parseDockerignore(dockerignore) };
  return await readContextTree(contextDir, [`${dockerfileName}.dockerignore`, '.dockerignore']);
}

/** The folder with the rules of the first of these files that is in it. Throws InvalidArgument for a bad pattern. */
export async function readContextTree(root: string, ignoreFiles: readonly string[]): Promise<ContextTree> {
  for (const name of ignoreFiles) {
    const found = resolveInRoot(root, name);
    if (found === undefined) continue;
    try {
      return { root, ignore: parseDockerignore(await readFile(found.path, 'utf8')) };
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      throw new StatusError(reasonOf(error), `error reading ${name}: ${error.message}`, { cause: error });
    }
  }
  return { root, ignore: parseDockerignore('') };
}
