import { mkdtempSync, rmSync } from 'node:fs';

/** Whoever runs clean-up when its tests have ended: a TestContext, or node:test itself for a whole file. */
export interface Owner {
  after(work: () => Promise<void> | void): void;
}

/** A new folder with a short path: sockets below it must fit in 107 bytes. The caller deletes it. */
export function makeRoot(): string {
  return mkdtempSync('/tmp/sw-');
}

/** A new folder, deleted after the test. Clean-up runs in the order it was asked for: this first, so mount nothing in it. */
export function tempFolder(owner: Owner): string {
  const path = makeRoot();
  owner.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
