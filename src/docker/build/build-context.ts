import { constants } from 'node:fs';
import { readFile } from 'node:fs/promises';

import { StatusError } from '#base/errors.ts';
import { plainFilesOnly } from '#engine/build/files/plain-files-only.ts';
import { decompress } from '#engine/stream/decompress.ts';
import { hasCode } from '#sys/errno.ts';
import { openInRoot } from '#sys/rooted.ts';
import { extractTar } from '#sys/tree/extract-tar.ts';

import { onClientBytes } from '../http/client-bytes.ts';

/** The largest Dockerfile. */
const maximumDockerfileBytes = 4 * 1024 * 1024;
const defaultName = 'Dockerfile';

export interface DockerfileSource {
  /** Its path in the context, for messages. */
  readonly name: string;
  readonly text: string;
}

/**
 * Unpacks the build context that a client sends (tar, plain or compressed) into a folder. Everything belongs to root, as
 * COPY would make it. Throws InvalidArgument for a bad archive.
 */
export async function unpackContext(
  body: AsyncIterable<Uint8Array>,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const extraction = {
    root: folder,
    path: '',
    tar: decompress(body),
    owner: { uid: 0, gid: 0 },
    transform: plainFilesOnly,
  };
  await onClientBytes(() => extractTar(extraction, signal));
}

/** Reads the Dockerfile out of an unpacked context, without leaving it. Throws InvalidArgument in Docker's words. */
export async function readDockerfile(folder: string, asked: string): Promise<DockerfileSource> {
  const names = asked === '' || asked === defaultName ? [defaultName, defaultName.toLowerCase()] : [asked];
  for (const name of names) {
    const text = await readContextFile(folder, name);
    if (text === undefined) continue;
    if (text.trim() === '') throw new StatusError('InvalidArgument', `the Dockerfile (${name}) cannot be empty`);
    return { name, text };
  }
  throw new StatusError('InvalidArgument', `Cannot locate specified Dockerfile: ${names[0] ?? ''}`);
}

/** The text of a file of an unpacked context, without leaving it; undefined when there is none. */
export async function readContextFile(folder: string, name: string): Promise<string | undefined> {
  try {
    using file = openInRoot(folder, name, constants.O_RDONLY | constants.O_NONBLOCK);
    const bytes = await readFile(file.path);
    if (bytes.length > maximumDockerfileBytes)
      throw new StatusError('TooLarge', `the Dockerfile (${name}) is too large`);
    return bytes.toString('utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR')) return undefined;
    throw error;
  }
}
