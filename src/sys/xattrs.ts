import { hasCode } from './errno.ts';
import { systemCall } from './ffi.ts';
import { cPath } from './file-path.ts';

const set = systemCall(
  'int lsetxattr(const char *path, const char *name, const void *value, size_t sizeBytes, int flags)',
);
const get = systemCall('long lgetxattr(const char *path, const char *name, void *value, size_t sizeBytes)');
const list = systemCall('long llistxattr(const char *path, void *names, size_t sizeBytes)');
const remove = systemCall('int lremovexattr(const char *path, const char *name)');

/** XATTR_SIZE_MAX and XATTR_LIST_MAX of the kernel. */
const maxBytes = 65_536;

/** Sets an extended attribute by its full name, such as `security.capability`; links are not followed. */
export function setXattr(path: string, name: string, value: Uint8Array): void {
  set(`${path} ${name}`, cPath(path), name, value, value.length, 0);
}

/** undefined when the file has not got it, or the filesystem has none at all. */
export function getXattr(path: string, name: string): Uint8Array | undefined {
  try {
    const sizeBytes = get(path, cPath(path), name, null, 0);
    if (sizeBytes === 0) return new Uint8Array();
    const value = Buffer.allocUnsafe(maxBytes);
    return Uint8Array.from(value.subarray(0, get(path, cPath(path), name, value, maxBytes)));
  } catch (error) {
    if (hasCode(error, 'ENODATA', 'ENOTSUP', 'EOPNOTSUPP')) return undefined;
    throw error;
  }
}

/** Names of all extended attributes that this process may see, sorted. */
export function listXattrs(path: string): readonly string[] {
  try {
    if (list(path, cPath(path), null, 0) === 0) return [];
    const names = Buffer.allocUnsafe(maxBytes);
    const length = list(path, cPath(path), names, maxBytes);
    return names.toString('utf8', 0, length).split('\0').slice(0, -1).sort();
  } catch (error) {
    if (hasCode(error, 'ENOTSUP', 'EOPNOTSUPP')) return [];
    throw error;
  }
}

/** Returns false when it was not there. */
export function removeXattr(path: string, name: string): boolean {
  try {
    remove(`${path} ${name}`, cPath(path), name);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENODATA', 'ENOTSUP', 'EOPNOTSUPP')) return false;
    throw error;
  }
}

/** All of a file's extended attributes, in the order of their names. */
export function readXattrs(path: string): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const name of listXattrs(path)) {
    const value = getXattr(path, name);
    if (value !== undefined) found.set(name, value);
  }
  return found;
}
