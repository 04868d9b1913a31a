import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { silentLogger } from '#base/logger.ts';
import { openSnapshots } from '#engine/snapshots/open-snapshots.ts';
import { removeTree } from '#sys/tree/remove-tree.ts';

import { ImageRoom } from '../../kit/image-room.ts';
import type { ImageRoomOptions } from '../../kit/image-room.ts';
import { makeRoot } from '../../kit/temp-root.ts';

/** The images over real layers on disk; all of it goes when it is disposed. */
export async function openRealRoom(options: Omit<ImageRoomOptions, 'snapshots'> = {}): Promise<ImageRoom> {
  const root = makeRoot();
  const dataDir = join(root, 'snapshots');
  await mkdir(dataDir);
  const snapshots = await openSnapshots({ dataDir, logger: silentLogger });
  const room = await ImageRoom.open({ ...options, snapshots });
  room.onClosed(() => removeTree(root));
  return room;
}
