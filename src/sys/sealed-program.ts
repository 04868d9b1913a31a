import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';

import { hasCode } from './errno.ts';
import { systemCall } from './ffi.ts';

const closeOnExec = 0x1;
const allowSealing = 0x2;
/** Since Linux 6.3 such files say whether they may be executed. */
const executable = 0x10;
const addSeals = 1033;
/** F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_WRITE: nobody can change it any more. */
const allSeals = 0xf;

const memfdCreate = systemCall('int memfd_create(const char *name, unsigned int flags)');
const sealFile = systemCall('int fcntl(int fd, int command, int seals)');

/** A program to start. */
export interface Program {
  /** Absolute; valid for the next start only. */
  readonly path: string;
}

interface Copy {
  readonly fd: number;
  /** Of the file that it is a copy of. */
  readonly version: string;
}

/**
 * A program that runs from a sealed copy in memory. OCI runtimes copy themselves, or mount themselves read-only, each time
 * that they enter a container, so that nothing in there can overwrite the machine's runtime (CVE-2019-5736); a sealed copy
 * needs no other (runc, contrib/cmd/memfd-bind, does the same for a whole machine). When the file on disk is replaced, so is the copy.
 */
export class SealedProgram implements Program, Disposable {
  readonly #original: string;
  readonly #name: string;
  #copy: Copy | undefined;

  /** `name`: of the copy, as it is seen in /proc. */
  constructor(original: string, name: string) {
    this.#original = original;
    this.#name = name;
  }

  /** The program itself where the kernel has no sealed files that can be executed. Throws ENOENT when it is gone. */
  get path(): string {
    const { ino, size, mtimeNs } = statSync(this.#original, { bigint: true });
    const version = [ino, size, mtimeNs].join(' ');
    if (this.#copy?.version !== version) {
      this[Symbol.dispose]();
      this.#copy = { fd: sealedCopy(this.#original, this.#name), version };
    }
    return this.#copy.fd === unsealed ? this.#original : `/proc/${String(process.pid)}/fd/${String(this.#copy.fd)}`;
  }

  [Symbol.dispose](): void {
    if (this.#copy !== undefined && this.#copy.fd !== unsealed) closeSync(this.#copy.fd);
    this.#copy = undefined;
  }
}

const unsealed = -1;

function sealedCopy(path: string, name: string): number {
  let fd: number;
  try {
    fd = createFile(path, name);
  } catch (error) {
    // Forbidden by the sysctl vm.memfd_noexec, or not there.
    if (hasCode(error, 'EACCES', 'EINVAL', 'ENOSYS', 'EPERM')) return unsealed;
    throw error;
  }
  try {
    const bytes = readFileSync(path);
    for (let written = 0; written < bytes.length;) written += writeSync(fd, bytes, written);
    sealFile(path, fd, addSeals, allSeals);
    // A file that is open for writing cannot be executed.
    return reopened(fd);
  } finally {
    closeSync(fd);
  }
}

function createFile(path: string, name: string): number {
  const flags = closeOnExec | allowSealing;
  try {
    return memfdCreate(path, name, flags | executable);
  } catch (error) {
    if (!hasCode(error, 'EINVAL')) throw error;
    return memfdCreate(path, name, flags);
  }
}

function reopened(fd: number): number {
  return openSync(`/proc/self/fd/${String(fd)}`, 'r');
}
