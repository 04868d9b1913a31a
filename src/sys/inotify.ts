import type { Socket } from 'node:net';

import { adoptSocket } from './adopted-socket.ts';
import { hasCode } from './errno.ts';
import { systemCall } from './ffi.ts';

const closeOnExec = 0x8_0000;
const nonBlocking = 0x800;
const movedTo = 0x80;
const overflow = 0x4000;
const onlyFolders = 0x100_0000;

const initCall = systemCall('int inotify_init1(int flags)');
const addCall = systemCall('int inotify_add_watch(int fd, const char *path, uint32_t mask)');
const removeCall = systemCall('int inotify_rm_watch(int fd, int watch)');

/** Called with the name of a file that was renamed into the folder; undefined: events were lost, look at all. */
export type OnArrival = (name: string | undefined) => void;

/**
 * Tells when files are renamed into folders (IN_MOVED_TO), which is how careful programs make them appear: whole, and
 * at once. Keeps the process alive until it is disposed. Unlike fs.watch it says nothing about writes, so a busy file in the folder costs nothing.
 */
export class ArrivalWatch implements Disposable {
  readonly #fd: number;
  readonly #socket: Socket;
  readonly #listeners = new Map<number, OnArrival>();
  #closed = false;

  constructor() {
    const adopted = adoptSocket(initCall('', closeOnExec | nonBlocking), { writable: false });
    this.#socket = adopted.socket;
    this.#fd = adopted.fd;
    this.#socket.on('data', (bytes: Buffer) => this.#dispatch(bytes));
  }

  /** Watches a folder until the result is disposed. Throws SystemError ENOENT or ENOTDIR. One listener per folder. */
  watch(folder: string, listener: OnArrival): Disposable {
    const watch = addCall(folder, this.#fd, folder, movedTo | onlyFolders);
    this.#listeners.set(watch, listener);
    return {
      [Symbol.dispose]: () => {
        if (this.#closed || !this.#listeners.delete(watch)) return;
        try {
          removeCall(folder, this.#fd, watch);
        } catch (error) {
          // The kernel drops a watch by itself when its folder goes.
          if (!hasCode(error, 'EINVAL')) throw error;
        }
      },
    };
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#listeners.clear();
    this.#socket.destroy();
  }

  #dispatch(bytes: Buffer): void {
    for (const event of parseInotify(bytes)) {
      if ((event.mask & overflow) !== 0) for (const listener of this.#listeners.values()) listener(undefined);
      else if ((event.mask & movedTo) !== 0) this.#listeners.get(event.watch)?.(event.name);
    }
  }
}

/** The events in what a read of an inotify instance returns (inotify(7)): whole events only. */
export function parseInotify(
  bytes: Buffer,
): readonly { readonly watch: number; readonly mask: number; readonly name: string }[] {
  const events = [];
  for (let at = 0; at + 16 <= bytes.length;) {
    const nameBytes = bytes.readUInt32LE(at + 12);
    const name = bytes.toString('utf8', at + 16, at + 16 + nameBytes).replace(/\0+$/, '');
    events.push({ watch: bytes.readInt32LE(at), mask: bytes.readUInt32LE(at + 4), name });
    at += 16 + nameBytes;
  }
  return events;
}
