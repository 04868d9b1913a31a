import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createNetns, removeNetns } from '#sys/netns.ts';

/** Pinned network namespaces in a temporary folder, gone with it. */
export class Namespaces implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'slipway-network-'));
  readonly #paths: string[] = [];

  /** Makes one and returns its path. */
  add(name: string): string {
    const path = join(this.folder, name);
    createNetns(path);
    this.#paths.push(path);
    return path;
  }

  [Symbol.dispose](): void {
    for (const path of this.#paths) removeNetns(path);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
