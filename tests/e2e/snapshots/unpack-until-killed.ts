/** A process that unpacks layers and makes snapshots until it is killed; it prints a line for each that was acknowledged. */
import { writeSync } from 'node:fs';

import { silentLogger } from '#base/logger.ts';
import { openSnapshots } from '#engine/snapshots/open-snapshots.ts';
import type { Layer } from '#engine/snapshots/snapshots.ts';

import { chunks, file, never, tarOf } from './world.ts';

const [dataDir = '', round = ''] = process.argv.slice(2);
await using snapshots = await openSnapshots({ dataDir, logger: silentLogger });
let top: Layer | undefined;
for (let count = 0; ; count += 1) {
  const name = `${round}-${String(count)}`;
  const members = Array.from({ length: 40 }, (_, index) => file(`${name}/${String(index)}`, name.repeat(index)));
  top = await snapshots.unpack(top?.chainId, chunks(await tarOf(...members), 4000), undefined, never);
  writeSync(1, `layer ${top.chainId}\n`);
  await snapshots.create(name, top.chainId);
  writeSync(1, `snapshot ${name}\n`);
  if (count % 3 !== 2) continue;
  top = await snapshots.commit(name, never);
  writeSync(1, `commit ${name} ${top.chainId}\n`);
}
