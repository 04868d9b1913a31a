import { shortId } from '#base/ids.ts';
import type { OnProgress } from '../images.ts';

/** Bytes between two reports of one line. */
const stepBytes = 524_288;

/** One line of progress: what is said of one layer. */
export class ProgressLine {
  readonly #id: string;
  readonly #onProgress: OnProgress;
  #reported = 0;

  constructor(digest: string, onProgress: OnProgress) {
    this.#id = shortId(digest);
    this.#onProgress = onProgress;
  }

  say(status: string): void {
    this.#reported = 0;
    this.#onProgress({ id: this.#id, status });
  }

  /** Reports bytes done now and then, and when all are. */
  count(status: string, currentBytes: number, totalBytes: number): void {
    if (currentBytes < totalBytes && currentBytes - this.#reported < stepBytes) return;
    this.#reported = currentBytes;
    this.#onProgress({ id: this.#id, status, currentBytes, totalBytes });
  }
}
