import { constants, readFileSync } from 'node:fs';

import { StatusError } from '#base/errors.ts';
import { isMissing } from '#sys/files.ts';
import { openInRoot } from '#sys/rooted.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const highestId = 0xffff_fffe;
const maxFileBytes = 4 * 1024 * 1024;

/**
 * Looks `user[:group]` of --chown or USER up in the /etc/passwd and /etc/group of a root filesystem; numbers need no
 * entry. Without a group it is the named user's own, or the number of the user. Throws InvalidArgument.
 */
export function lookUpOwner(root: string, text: string): Owner {
  const colon = text.indexOf(':');
  const user = colon === -1 ? text : text.slice(0, colon);
  const group = colon === -1 ? '' : text.slice(colon + 1);
  const { id: uid, fields } = user === '' ? { id: 0, fields: [] } : entryOf(root, user, '/etc/passwd', 'user');
  if (group !== '') return { uid, gid: entryOf(root, group, '/etc/group', 'group').id };
  const own = fields[3] ?? '';
  return { uid, gid: isId(own) ? Number(own) : uid };
}

/** A line of passwd(5) or group(5): the ID is its third field. */
function entryOf(root: string, name: string, path: string, what: string): { id: number; fields: readonly string[] } {
  if (/^[0-9]+$/.test(name)) {
    if (isId(name)) return { id: Number(name), fields: [] };
    throw new StatusError('InvalidArgument', `${what} ${name} is out of range: the highest ID is ${String(highestId)}`);
  }
  const lines = readTextIn(root, path).split('\n');
  const fields = lines.find((line) => line.startsWith(`${name}:`))?.split(':') ?? [];
  const id = fields[2] ?? '';
  if (isId(id)) return { id: Number(id), fields };
  throw new StatusError(
    'InvalidArgument',
    `unable to find ${what} ${name}: no matching entries in ${path} of the stage`,
  );
}

function isId(text: string): boolean {
  return /^[0-9]{1,10}$/.test(text) && Number(text) <= highestId;
}

function readTextIn(root: string, path: string): string {
  try {
    // Never waits, should the name be a fifo.
    using file = openInRoot(root, path, constants.O_RDONLY | constants.O_NONBLOCK);
    return readFileSync(file.fd).subarray(0, maxFileBytes).toString();
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}
