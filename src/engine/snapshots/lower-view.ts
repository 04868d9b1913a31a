import { type BigIntStats, lstatSync } from 'node:fs';

import { fsPath } from '#sys/file-path.ts';
import { namesIn } from '#sys/tree/walk-tree.ts';
import { getXattr } from '#sys/xattrs.ts';

/** What the merged layers show at a path. */
export interface LowerNode {
  /** Absolute path of the topmost layer's file. */
  readonly at: string;
  readonly stat: BigIntStats;
}

interface Found extends LowerNode {
  /** The folders that are merged here, top first; empty unless it is a folder. */
  readonly folders: readonly string[];
}

export const opaqueXattr = 'trusted.overlay.opaque';

/** Folders whose parts are remembered; then all are forgotten. */
const maxRemembered = 10_000;

/**
 * Looks into layers as overlayfs would merge them, without mounting them: whiteouts and opaque folders hide what lies
 * below (kernel, overlayfs.rst). Paths are relative to the root, without `.` and `..`; links are not followed.
 */
export class LowerView {
  readonly #remembered = new Map<string, readonly string[]>();

  /** Absolute folders, top first. */
  constructor(folders: readonly string[]) {
    this.#remembered.set('', folders);
    this.#roots = folders;
  }

  readonly #roots: readonly string[];

  lookup(path: string): LowerNode | undefined {
    if (path === '') return this.#merge(this.#roots);
    const slash = path.lastIndexOf('/');
    return this.#merge(
      this.#foldersOf(path.slice(0, Math.max(slash, 0))).map((folder) => `${folder}/${path.slice(slash + 1)}`),
    );
  }

  /** Names that a folder shows; none when it is no folder. */
  list(path: string): readonly string[] {
    const shown = new Map<string, boolean>();
    for (const folder of this.#foldersOf(path))
      for (const name of namesIn(folder))
        if (!shown.has(name)) shown.set(name, !isWhiteout(lstatSync(fsPath(`${folder}/${name}`), { bigint: true })));
    return [...shown].filter(([, isShown]) => isShown).map(([name]) => name);
  }

  #foldersOf(path: string): readonly string[] {
    const known = this.#remembered.get(path);
    if (known !== undefined) return known;
    const slash = path.lastIndexOf('/');
    const parents = this.#foldersOf(path.slice(0, Math.max(slash, 0)));
    const folders = this.#merge(parents.map((folder) => `${folder}/${path.slice(slash + 1)}`))?.folders ?? [];
    if (this.#remembered.size >= maxRemembered) {
      this.#remembered.clear();
      this.#remembered.set('', this.#roots);
    }
    this.#remembered.set(path, folders);
    return folders;
  }

  #merge(candidates: readonly string[]): Found | undefined {
    let top: LowerNode | undefined;
    const folders: string[] = [];
    for (const at of candidates) {
      const stat = lstatSync(fsPath(at), { bigint: true, throwIfNoEntry: false });
      if (stat === undefined) continue;
      if (isWhiteout(stat)) break;
      if (!stat.isDirectory()) {
        top ??= { at, stat };
        break;
      }
      top ??= { at, stat };
      folders.push(at);
      if (isOpaque(at)) break;
    }
    return top === undefined ? undefined : { ...top, folders };
  }
}

/** A character device 0:0. */
export function isWhiteout(stat: BigIntStats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0n;
}

/** Whether a folder hides what lower layers have at its path. */
export function isOpaque(at: string): boolean {
  return getXattr(at, opaqueXattr)?.[0] === 'y'.charCodeAt(0);
}
