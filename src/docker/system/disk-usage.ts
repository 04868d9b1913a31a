import { StatusError } from '#base/errors.ts';
import { ConcurrencyLimit } from '#base/limit.ts';

import { listContainers } from '../containers/container-list.ts';
import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import { imageSummary } from '../images/image-summary.ts';
import { volumeBody } from '../volumes/volume-body.ts';

const measuredAtOnce = 4;
const types = ['container', 'image', 'volume', 'build-cache'] as const;

/** GET /system/df: what takes how much, of the types asked for. */
export async function diskUsage(context: Context, call: Call, signal: AbortSignal): Promise<object> {
  const wanted = call.query.texts('type');
  const unknown = wanted.find((type) => !types.some((known) => known === type));
  if (unknown !== undefined) throw new StatusError('InvalidArgument', `unknown object type: ${unknown}`);
  const wants = (type: (typeof types)[number]): boolean => wanted.length === 0 || wanted.includes(type);
  const { images, snapshots, containers, volumes } = context.engine;
  const limit = new ConcurrencyLimit(measuredAtOnce);
  return {
    LayersSize: wants('image') ? snapshots.layers().reduce((sum, layer) => sum + layer.sizeBytes, 0) : 0,
    Images: wants('image') ? images.list().map((image) => imageSummary(image, containers.list(), 0)) : null,
    Containers: wants('container') ? await listContainers(context, { all: true, size: true }, signal) : null,
    Volumes: wants('volume')
      ? await Promise.all(
          volumes.list().map((volume) =>
            limit.run(async () => {
              const Size = await volumes.sizeBytes(volume.name, signal);
              return { ...volumeBody(volume), UsageData: { Size, RefCount: volumes.holders(volume.name).length } };
            }),
          ),
        )
      : null,
    BuildCache: wants('build-cache') ? [] : null,
  };
}
