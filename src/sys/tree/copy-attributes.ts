import { lstatSync } from 'node:fs';

import { setTimes } from '../files.ts';
import { setAttributes } from './make-entry.ts';
import { entryOfNode, isOrdinaryXattr, LinkFinder } from './tree-entry.ts';

/** Gives one folder the owner, mode, extended attributes and time of another. */
export function copyAttributes(from: string, to: string): void {
  const stat = lstatSync(from, { bigint: true });
  const entry = entryOfNode({ path: '', at: from, stat }, new LinkFinder(), isOrdinaryXattr);
  if (entry?.type !== 'directory') throw new Error(`invariant broken: ${from} is a folder`);
  setAttributes(to, entry);
  setTimes(to, entry.mtimeNs, entry.mtimeNs);
}
