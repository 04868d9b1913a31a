import { StatusError } from '#base/errors.ts';

/** A row of /proc/<pid>/uid_map (user_namespaces(7)): `count` IDs from `inside` on are those from `outside` on. */
export interface IdRange {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

/** Users and groups of a user namespace. */
export interface IdMap {
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** What the kernel shows for an ID that a map does not know (/proc/sys/kernel/overflowuid). */
const overflowId = 65_534;
/** 2 ** 32 - 1 is no ID but "none". */
const largestId = 2 ** 32 - 2;
/** As many rows as the kernel takes since 4.15. */
const maxRanges = 340;

/**
 * The map that /etc/subuid or /etc/subgid gives an owner, who is written there by name or number: its ranges follow each
 * other from 0 on inside, as Docker has it. Empty when the file has none. Throws InvalidArgument for a broken line.
 */
export function subordinateRanges(text: string, owner: readonly string[]): readonly IdRange[] {
  const ranges: IdRange[] = [];
  let inside = 0;
  for (const line of text.split('\n')) {
    const [name = '', first = '', size = ''] = line.trim().split(':');
    if (name === '' || name.startsWith('#') || !owner.includes(name)) continue;
    const [outside, count] = [Number(first), Number(size)];
    const isWhole = /^\d+$/.test(first) && /^\d+$/.test(size);
    if (!isWhole || outside === 0 || count === 0 || outside + count - 1 > largestId)
      throw new StatusError('InvalidArgument', `subordinate IDs "${line.trim()}" are not name:first:count`);
    ranges.push({ inside, outside, count });
    inside += count;
  }
  if (ranges.length > maxRanges)
    throw new StatusError('InvalidArgument', `more than ${String(maxRanges)} ranges of subordinate IDs`);
  return ranges;
}

/**
 * The map with one more ID inside, which is root of the host: what root writes through a mount with this map has an owner
 * then. No container is given it.
 */
export function withHostRoot({ uids, gids }: IdMap): IdMap {
  const more = (ranges: readonly IdRange[]): readonly IdRange[] => [
    ...ranges,
    { inside: Math.max(...ranges.map(({ inside, count }) => inside + count)), outside: 0, count: 1 },
  ];
  return { uids: more(uids), gids: more(gids) };
}

/** Who is, on the host, the owner that a container knows by these IDs. IDs without a row become nobody. */
export function ownerOutside({ uids, gids }: IdMap, { uid, gid }: Owner): Owner {
  return { uid: translated(uids, uid, 'inside', 'outside'), gid: translated(gids, gid, 'inside', 'outside') };
}

/** The other way round. */
export function ownerInside({ uids, gids }: IdMap, { uid, gid }: Owner): Owner {
  return { uid: translated(uids, uid, 'outside', 'inside'), gid: translated(gids, gid, 'outside', 'inside') };
}

/** The text of a uid_map or gid_map. */
export function encodeRanges(ranges: readonly IdRange[]): string {
  return ranges.map(({ inside, outside, count }) => `${[inside, outside, count].join(' ')}\n`).join('');
}

function translated(
  ranges: readonly IdRange[],
  id: number,
  from: 'inside' | 'outside',
  to: 'inside' | 'outside',
): number {
  const range = ranges.find(({ [from]: first, count }) => id >= first && id < first + count);
  return range === undefined ? overflowId : range[to] + id - range[from];
}
