import { decompress } from './decompress.ts';
import { lend } from './lend.ts';
import { readFileChunks } from './read-file.ts';

/** Bytes so far: of the file, and of what they decompress to. */
export type OnRead = (fileBytes: number, archiveBytes: number) => void;

/**
 * An archive in a file, plain or compressed. Iterated, it is the uncompressed bytes, each chunk until the next is asked
 * for; errors are those of `decompress`. Who has a thread to read it with takes its path instead.
 */
export class ArchiveFile implements AsyncIterable<Uint8Array> {
  readonly path: string;
  readonly onRead: OnRead;

  constructor(path: string, onRead: OnRead = () => {}) {
    this.path = path;
    this.onRead = onRead;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    let fileBytes = 0;
    let archiveBytes = 0;
    const counted = async function* (path: string): AsyncIterable<Uint8Array> {
      for await (const chunk of lend(readFileChunks(path))) {
        fileBytes += chunk.length;
        yield chunk;
      }
    };
    for await (const chunk of lend(decompress(counted(this.path)))) {
      archiveBytes += chunk.length;
      this.onRead(fileBytes, archiveBytes);
      yield chunk;
    }
  }
}
