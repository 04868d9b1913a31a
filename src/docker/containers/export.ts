import { ownerInside } from '#formats/id-map.ts';
import type { TarEntry } from '#formats/tar-entry.ts';
import { packTree } from '#sys/tree/pack-tree.ts';

import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import type { Reply } from '../http/reply.ts';
import { stream } from '../http/reply.ts';
import { actor } from './attach.ts';

/** GET /containers/{id}/export: the root filesystem as a tar, without what is mounted into it. */
export function exportReply({ engine }: Context, call: Call): Reply {
  const container = engine.containers.get(call.params['id'] ?? '');
  return stream({ contentType: 'application/x-tar' }, async (output, signal) => {
    await engine.containers.withRoot(container.id, async (root, ids) => {
      const transform = (entry: TarEntry): readonly TarEntry[] =>
        entry.path === '' ? [] : [ids === undefined ? entry : { ...entry, ...ownerInside(ids, entry) }];
      for await (const chunk of packTree({ start: root, transform }, signal)) await output.write(chunk);
    });
    engine.events.publish('container', 'export', container.id, actor(container));
  });
}
