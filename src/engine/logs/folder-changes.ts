import { type FSWatcher, watch } from 'node:fs';

import { sleep } from '#base/clock.ts';

/** A look without being woken, in case a wake-up was lost. */
const idleLookMs = 1000;

/** Wakes a reader when something in a folder changed. */
export class FolderChanges implements Disposable {
  readonly #finished: AbortSignal;
  readonly #watcher: FSWatcher | undefined;
  #changed = false;
  #wake: (() => void) | undefined;

  /** `finished` aborts when nothing will change any more. */
  constructor(folder: string, finished: AbortSignal) {
    this.#finished = finished;
    this.#watcher = watchIfPossible(folder, () => {
      this.#changed = true;
      this.#wake?.();
    });
  }

  /** Waits for a change; false when no more is to come. */
  async next(signal: AbortSignal): Promise<boolean> {
    if (this.#finished.aborted || signal.aborted) return false;
    if (!this.#changed) {
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      const either = AbortSignal.any([woken.signal, this.#finished, signal]);
      await sleep(idleLookMs, either).catch(() => {});
    }
    this.#changed = false;
    this.#wake = undefined;
    return true;
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
  }
}

function watchIfPossible(folder: string, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, onChange);
    watcher.on('error', () => {});
    return watcher;
  } catch {
    // No inotify watches left: the idle look finds changes, a little later.
    return undefined;
  }
}
