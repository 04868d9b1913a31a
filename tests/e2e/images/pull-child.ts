import { join } from 'node:path';

import { silentLogger } from '#base/logger.ts';
import { createEventLog } from '#engine/events/create-event-log.ts';
import { openImages } from '#engine/images/open-images.ts';
import { openSnapshots } from '#engine/snapshots/open-snapshots.ts';
import { parseReference } from '#formats/reference.ts';

/** A process of its own that pulls an image, to be killed: prints each line of progress. */
async function pull(root: string, name: string): Promise<void> {
  const signal = new AbortController().signal;
  const snapshots = await openSnapshots({ dataDir: join(root, 'snapshots'), logger: silentLogger });
  await using images = await openImages(
    {
      dataDir: join(root, 'images'),
      snapshots,
      events: createEventLog(),
      users: { usersOf: () => [] },
      insecureRegistries: [],
      logger: silentLogger,
    },
    signal,
  );
  await images.pull(parseReference(name), {}, ({ status }) => process.stdout.write(`${status}\n`), signal);
}

await pull(process.argv[2] ?? '', process.argv[3] ?? '');
