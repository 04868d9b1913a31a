import { constants, fstatSync } from 'node:fs';
import { posix } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { compileIgnoreRules, type IgnoreRules } from '#formats/dockerignore.ts';
import { compilePathPattern, hasWildcard } from '#formats/path-pattern.ts';
import { hasCode } from '#sys/errno.ts';
import { isMissing } from '#sys/files.ts';
import { openInRoot, openPath } from '#sys/rooted.ts';
import { namesIn } from '#sys/tree/walk-tree.ts';
import { readEntry, readTree, type Verdict } from './read-tree.ts';
import { resolveInRoot } from './resolve-in-root.ts';
import type { SourceItem } from './source-item.ts';

export interface Selection {
  /** The context, or a stage's root filesystem. Links in it never lead out of it. */
  readonly root: string;
  /** As written, variables expanded. */
  readonly sources: readonly string[];
  readonly parents: boolean;
  readonly exclude: readonly string[];
  /** `.dockerignore`, for the context. */
  readonly ignore: IgnoreRules;
}

/**
 * Finds what the sources of COPY and ADD name, in order. A source that is a link means what it points to; links inside
 * a folder stay links. Throws NotFound for a source without wildcards that is not there or is ignored.
 */
export async function selectFiles(selection: Selection, signal: AbortSignal): Promise<readonly SourceItem[]> {
  const items: SourceItem[] = [];
  for (const source of selection.sources) {
    if (selection.parents) items.push(...(await selectParents(selection, source, signal)));
    else items.push(...(await selectSource(selection, source, signal)));
  }
  return items;
}

async function selectSource(selection: Selection, source: string, signal: AbortSignal): Promise<SourceItem[]> {
  const exclude = compileIgnoreRules(selection.exclude);
  const items: SourceItem[] = [];
  for (const path of expandSource(selection.root, source)) {
    const found = resolveInRoot(selection.root, path);
    const ignored = found !== undefined && found.inRoot !== '' && isLeftOut(selection.ignore, found.inRoot);
    if (found === undefined || ignored) {
      if (hasWildcard(source)) continue;
      throw missing(source);
    }
    const name = posix.basename(path);
    const judge = (relative: string, isFolder: boolean): Verdict =>
      worse(
        verdictOf(selection.ignore, posix.join(found.inRoot, relative), isFolder),
        verdictOf(exclude, relative === '' ? name : relative, isFolder),
      );
    const entry = readEntry(found.path, '');
    if (entry === undefined) continue;
    if (entry.entry.type === 'directory')
      items.push({ name, isFolder: true, entries: await readTree(found.path, judge, signal) });
    else if (judge('', false) === 'take') items.push({ name, isFolder: false, entries: [entry] });
  }
  return items;
}

/** `COPY --parents`: the source keeps its folders, from the root or from a `/./` in it. */
async function selectParents(selection: Selection, source: string, signal: AbortSignal): Promise<SourceItem[]> {
  const pivot = source.indexOf('/./');
  const base = pivot === -1 ? '/' : source.slice(0, pivot);
  const pattern = posix.normalize(`/${pivot === -1 ? source : source.slice(pivot + 3)}`).replace(/^\/|\/$/g, '');
  const wanted = pattern === '' ? undefined : compilePathPattern(pattern);
  const exclude = compileIgnoreRules(selection.exclude);
  const items: SourceItem[] = [];
  for (const path of expandSource(selection.root, base)) {
    const found = resolveInRoot(selection.root, path);
    if (found === undefined) continue;
    const judge = (relative: string, isFolder: boolean): Verdict => {
      const matched = wanted === undefined || wanted.matchesOrAbove(relative);
      const own = matched ? 'take' : isFolder ? 'look' : 'skip';
      const ignored = verdictOf(selection.ignore, posix.join(found.inRoot, relative), isFolder);
      return worse(own, worse(ignored, verdictOf(exclude, relative, isFolder)));
    };
    items.push({ name: '', isFolder: true, entries: await readTree(found.path, judge, signal) });
  }
  const isEmpty = items.every(({ entries }) => entries.length === 0);
  if (isEmpty && !hasWildcard(source)) throw missing(source);
  return items;
}

/**
 * The paths that a source stands for, sorted. Links on the way to the first wildcard are followed inside the root, those
 * behind it are not walked through, as BuildKit does.
 */
function expandSource(root: string, source: string): readonly string[] {
  let paths = ['/'];
  let isWild = false;
  for (const part of posix.normalize(`/${source}`).split('/')) {
    if (part === '') continue;
    if (isWild) paths = paths.filter((path) => !isLink(root, path));
    if (!hasWildcard(part) && !part.includes('\\')) {
      paths = paths.map((path) => posix.join(path, part));
      continue;
    }
    isWild = true;
    const pattern = compilePathPattern(part);
    paths = paths.flatMap((path) =>
      namesAt(root, path)
        .filter((name) => pattern.matches(name))
        .map((name) => posix.join(path, name)),
    );
  }
  return paths;
}

function namesAt(root: string, path: string): readonly string[] {
  const found = resolveInRoot(root, path);
  if (found === undefined) return [];
  try {
    return namesIn(found.path);
  } catch (error) {
    if (hasCode(error, 'ENOTDIR')) return [];
    throw error;
  }
}

function isLink(root: string, path: string): boolean {
  try {
    using file = openInRoot(root, path, openPath | constants.O_NOFOLLOW);
    return fstatSync(file.fd).isSymbolicLink();
  } catch (error) {
    if (isMissing(error) || hasCode(error, 'ELOOP')) return false;
    throw error;
  }
}

function isLeftOut(rules: IgnoreRules, path: string): boolean {
  return rules.ignores(path) && !rules.mayTakeBack(path);
}

function verdictOf(rules: IgnoreRules, path: string, isFolder: boolean): Verdict {
  if (rules.isEmpty || !rules.ignores(path)) return 'take';
  return isFolder && rules.mayTakeBack(path) ? 'look' : 'skip';
}

function worse(one: Verdict, other: Verdict): Verdict {
  if (one === 'skip' || other === 'skip') return 'skip';
  return one === 'look' || other === 'look' ? 'look' : 'take';
}

function missing(source: string): StatusError {
  return new StatusError(
    'NotFound',
    `COPY failed: file not found in build context or excluded by .dockerignore: stat ${source}: file does not exist`,
  );
}
