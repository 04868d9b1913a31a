import { StatusError } from '#base/errors.ts';

/** The identity that a container's process runs as. */
export interface ContainerUser {
  readonly uid: number;
  readonly gid: number;
  /** All groups but none twice; the primary one first. */
  readonly additionalGids: readonly number[];
  /** `/` for a user without an entry. */
  readonly home: string;
}

/** The contents of the root filesystem's /etc/passwd and /etc/group, '' when they are missing. */
export interface UserDatabase {
  readonly passwd: string;
  readonly group: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** IDs above are no IDs: -1 as unsigned means "no change" to the kernel. */
const greatestId = 2 ** 31 - 1;

/**
 * Looks up `user[:group]` as Docker does (moby/sys user.GetExecUser): names and numbers, a number without an entry has
 * group 0; without `:group` the user's supplementary groups count. Throws InvalidArgument for unknown names.
 */
export function resolveUser(text: string, additionalGroups: readonly string[], database: UserDatabase): ContainerUser {
  const [userText = '', groupText = ''] = text.split(':', 2);
  const groups = parseGroup(database.group);
  const user = findUser(userText === '' ? '0' : userText, parsePasswd(database.passwd));
  const gid = groupText === '' ? user.gid : findGroup(groupText, groups);
  const supplementary =
    groupText === '' ? groups.filter((group) => group.members.includes(user.name)).map((group) => group.gid) : [];
  const added = additionalGroups.map((group) => findGroup(group, groups));
  return {
    uid: user.uid,
    gid,
    additionalGids: [...new Set([gid, ...supplementary, ...added])],
    home: user.home === '' ? '/' : user.home,
  };
}

function findUser(text: string, entries: readonly PasswdEntry[]): PasswdEntry {
  const id = parseId(text, 'uids and gids must be in range 0-2147483647');
  const found = entries.find((entry) => entry.name === text) ?? entries.find((entry) => entry.uid === id);
  if (found !== undefined) return found;
  if (id !== undefined) return { name: '', uid: id, gid: 0, home: '/' };
  throw new StatusError('InvalidArgument', `unable to find user ${text}: no matching entries in passwd file`);
}

function findGroup(text: string, entries: readonly GroupEntry[]): number {
  const id = parseId(text, 'uids and gids must be in range 0-2147483647');
  const found = entries.find((entry) => entry.name === text) ?? entries.find((entry) => entry.gid === id);
  if (found !== undefined) return found.gid;
  if (id !== undefined) return id;
  throw new StatusError('InvalidArgument', `unable to find group ${text}: no matching entries in group file`);
}

function parseId(text: string, problem: string): number | undefined {
  if (!/^-?\d+$/.test(text)) return undefined;
  const id = Number(text);
  if (id < 0 || id > greatestId) throw new StatusError('InvalidArgument', problem);
  return id;
}

function parsePasswd(text: string): readonly PasswdEntry[] {
  return lines(text).flatMap((fields) => {
    const [name = '', , uid = '', gid = '', , home = ''] = fields;
    if (!isId(uid) || !isId(gid)) return [];
    return [{ name, uid: Number(uid), gid: Number(gid), home }];
  });
}

function parseGroup(text: string): readonly GroupEntry[] {
  return lines(text).flatMap((fields) => {
    const [name = '', , gid = '', members = ''] = fields;
    return isId(gid) ? [{ name, gid: Number(gid), members: members.split(',').filter((item) => item !== '') }] : [];
  });
}

function lines(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'));
}

function isId(text: string): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) <= greatestId;
}
