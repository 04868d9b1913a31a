import { constants, lstatSync } from 'node:fs';

import { createPauses } from '#base/pauses.ts';
import type { TarEntry } from '#formats/tar-entry.ts';
import { fsPath } from '#sys/file-path.ts';
import { openInRoot, openPath, type RootedFile } from '#sys/rooted.ts';
import { FileSink } from '#sys/tree/make-entry.ts';
import { removeTree } from '#sys/tree/remove-tree.ts';
import { readLink } from '#sys/tree/tree-entry.ts';
import { TreeWriter } from '#sys/tree/tree-writer.ts';
import { walkTree } from '#sys/tree/walk-tree.ts';

import type { PresentFile } from './sync-plan.ts';

/** A file whose bytes are being written; disposing closes it, incomplete. */
export interface IncomingFile extends Disposable {
  write(bytes: Uint8Array): void;
  finish(): void;
}

/** A folder that is made equal to one of a client. Whatever names and links come, nothing outside of it is touched. */
export class ContextFolder {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async present(signal: AbortSignal): Promise<ReadonlyMap<string, PresentFile>> {
    const pause = createPauses();
    const files = new Map<string, PresentFile>();
    for (const { path, at, stat } of walkTree(this.#root)) {
      signal.throwIfAborted();
      await pause();
      if (path !== '') files.set(path, { stat, linkTarget: stat.isSymbolicLink() ? readLink(at) : '' });
    }
    return files;
  }

  async remove(path: string): Promise<void> {
    using parent = this.#parentOf(path);
    await removeTree(`${parent.path}/${nameOf(path)}`);
  }

  /** Makes folders and links; what is there already is replaced, folders stay. */
  async make(entries: readonly TarEntry[], signal: AbortSignal): Promise<void> {
    using writer = new TreeWriter(this.#root, '', { owner: { uid: 0, gid: 0 } });
    const pause = createPauses();
    for (const entry of entries) {
      signal.throwIfAborted();
      await pause();
      using file = await writer.add(entry);
      file?.finish();
    }
    writer.finish();
  }

  /** A new file in the place of anything that was there. */
  async openFile(entry: TarEntry): Promise<IncomingFile> {
    await this.remove(entry.path);
    using opened = new DisposableStack();
    const parent = opened.use(this.#parentOf(entry.path));
    const sink = opened.use(new FileSink(`${parent.path}/${nameOf(entry.path)}`, entry));
    const owned = opened.move();
    let offset = 0;
    return {
      write: (bytes) => {
        sink.write(bytes, offset);
        offset += bytes.length;
      },
      finish: () => {
        sink.finish();
        owned.dispose();
      },
      [Symbol.dispose]: () => owned.dispose(),
    };
  }

  /** Folders whose mode or time is not what it should be. */
  differing(folders: readonly TarEntry[]): readonly TarEntry[] {
    return folders.filter(({ path, mode, mtimeNs }) => {
      using parent = this.#parentOf(path);
      const stat = lstatSync(fsPath(`${parent.path}/${nameOf(path)}`), { bigint: true });
      return Number(stat.mode & 0o7777n) !== mode || stat.mtimeNs !== mtimeNs;
    });
  }

  #parentOf(path: string): RootedFile {
    const slash = path.lastIndexOf('/');
    return openInRoot(this.#root, slash < 0 ? '' : path.slice(0, slash), openPath | constants.O_DIRECTORY);
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
