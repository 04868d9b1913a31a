import { parentPort, workerData } from 'node:worker_threads';

import { required } from '#base/assert.ts';

import { SystemError } from './errno.ts';
import type { MountReply, NetworkMount } from './mount-in-thread.ts';
import { mountFilesystem } from './mounts.ts';

// The main of a thread: one mount that may wait for another machine.
const { type, source, target, words } = workerData as NetworkMount;
const port = required(parentPort, 'the port to the main thread');
const reply = (message: MountReply): void => port.postMessage(message);
try {
  mountFilesystem(type, source, target, words);
  reply({ errno: 0 });
} catch (error) {
  if (!(error instanceof SystemError)) throw error;
  reply({ errno: error.errno });
}
