import { spawn } from 'node:child_process';

import { StatusError } from '#base/errors.ts';
import { hasCode } from '#sys/errno.ts';

import { feed } from './feed.ts';

/** A program that decompresses its stdin to its stdout. */
export interface Decompressor {
  readonly name: string;
  readonly args: readonly string[];
  /** Debian's package of it. */
  readonly package: string;
}

/**
 * What a program makes of a stream. The program ends with the reader. Throws Damaged when it refuses the bytes,
 * NotSupported when it is not installed; the source's own errors pass unchanged.
 */
export async function* decompressByProgram(
  program: Decompressor,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const child = spawn(program.name, program.args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = new Promise<number | Error>((resolve) => {
    child.once('close', (code) => resolve(code ?? 1)).once('error', resolve);
  });
  const fed = feed(child.stdin, source).catch((error: unknown) => {
    child.stdin.destroy();
    return error;
  });
  try {
    yield* child.stdout as AsyncIterable<Uint8Array>;
    const failure = await fed;
    const end = await ended;
    if (hasCode(end, 'ENOENT')) {
      const text = `${program.name} is not installed; apt-get install ${program.package}, or use gzip, zstd or none`;
      throw new StatusError('NotSupported', `Cannot decompress: ${text}`);
    }
    // A program that ends early breaks the pipe: that is its failure, not the source's.
    if (failure !== undefined && !hasCode(failure, 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE')) throw failure;
    if (end === 0) return;
    throw new StatusError('Damaged', 'Cannot decompress: the bytes are broken or end early', {
      cause: end instanceof Error ? end : new Error(`${program.name} ended with ${String(end)}`),
    });
  } finally {
    child.kill('SIGKILL');
    child.stdin.destroy();
    await ended;
    await fed;
  }
}
