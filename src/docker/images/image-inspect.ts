import { StatusError } from '#base/errors.ts';
import type { Image } from '#engine/images/images.ts';
import type { Digest } from '#formats/oci.ts';

import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import type { Reply } from '../http/reply.ts';
import { json } from '../http/reply.ts';
import { isoToSeconds, nsToIso } from '../text/timestamp.ts';
import { configFields } from '../translate/config-fields.ts';
import { withDefaults } from '../translate/field.ts';
import { manifestFields } from './manifest-fields.ts';
import { platformOf } from './platform.ts';
import { shownTo } from '../versions/shown-to.ts';

/** GET /images/{name}/json. With `platform` that one of what the name stands for, with `manifests` all of them too. */
export async function inspectReply({ engine }: Context, call: Call): Promise<Reply> {
  const name = call.params['name'] ?? '';
  const platform = platformOf(call.query.text('platform'));
  const wantsManifests = call.query.flag('manifests');
  if (platform !== undefined && wantsManifests) {
    throw new StatusError('InvalidArgument', 'conflicting options: manifests and platform options cannot both be set');
  }
  const image = engine.images.get(name, platform);
  const { config } = image;
  const manifests = wantsManifests ? await engine.images.manifests(name) : undefined;
  const body = {
    Id: image.id,
    RepoTags: image.tags,
    RepoDigests: image.repoDigests,
    Parent: image.parent ?? '',
    Comment: config.history?.at(-1)?.comment ?? '',
    Created: config.created ?? '0001-01-01T00:00:00Z',
    DockerVersion: '',
    Author: config.author ?? '',
    Config: withDefaults(configFields, { ...config.config }),
    Architecture: config.architecture,
    ...(config.variant !== undefined && { Variant: config.variant }),
    Os: config.os,
    Size: image.sizeBytes,
    GraphDriver: { Name: 'overlay2', Data: null },
    RootFS: { Type: 'layers', ...(config.rootfs.diff_ids.length > 0 && { Layers: config.rootfs.diff_ids }) },
    ...(manifests !== undefined && manifestFields(manifests, engine.containers.list())),
    Metadata: { LastTagTime: image.lastTaggedNs === 0n ? '0001-01-01T00:00:00Z' : nsToIso(image.lastTaggedNs) },
  };
  return json(shownTo(call.version, 'image', body));
}

/** GET /images/{name}/history, the newest step first. */
export function historyReply({ engine }: Context, call: Call): Reply {
  const image = engine.images.get(call.params['name'] ?? '', platformOf(call.query.text('platform')));
  const sizes = layerSizes(engine, image.topLayer);
  let layer = 0;
  const steps = (image.config.history ?? []).map((entry) => {
    const isEmpty = entry.empty_layer === true;
    if (!isEmpty) layer += 1;
    return {
      Id: '<missing>',
      Created: entry.created === undefined ? 0 : isoToSeconds(entry.created),
      CreatedBy: entry.created_by ?? '',
      Tags: null as readonly string[] | null,
      Size: isEmpty ? 0 : (sizes[layer - 1] ?? 0),
      Comment: entry.comment ?? '',
    };
  });
  steps.reverse();
  return json(steps.map((step, index) => (index === 0 ? { ...step, ...identityOf(image) } : step)));
}

function identityOf(image: Image): { readonly Id: string; readonly Tags: readonly string[] | null } {
  return { Id: image.id, Tags: image.tags.length === 0 ? null : image.tags };
}

/** Bytes of an image's layers, from the lowest up. */
function layerSizes({ snapshots }: Context['engine'], top: Digest | undefined): readonly number[] {
  const sizes = [];
  for (let id = top; id !== undefined;) {
    const layer = snapshots.layer(id);
    if (layer === undefined) break;
    sizes.push(layer.sizeBytes);
    id = layer.parent;
  }
  return sizes.reverse();
}
