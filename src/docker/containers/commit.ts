import { nowMs } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import type { Container } from '#engine/runtime/container.ts';
import type { Layer } from '#engine/snapshots/snapshots.ts';
import type { ImageConfig, ImageDefaults } from '#formats/oci.ts';

import { changedDefaults } from '../build/image-changes.ts';
import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import { objectOf } from '../http/decode.ts';
import type { Query } from '../http/query.ts';
import type { Reply } from '../http/reply.ts';
import { json } from '../http/reply.ts';
import { targetReference } from '../images/archive-transfer.ts';
import type { Config } from '../translate/config-fields.ts';
import { configFields } from '../translate/config-fields.ts';
import { decodersOf } from '../translate/field.ts';
import { originOf } from '../translate/origin.ts';
import { actor } from './attach.ts';

const commitRequest = objectOf(decodersOf(configFields));

/** POST /commit: an image of what a container changed. */
export async function commitReply({ engine }: Context, call: Call, signal: AbortSignal): Promise<Reply> {
  const { query } = call;
  const request = await call.body.json(commitRequest);
  const container = engine.containers.get(query.text('container'));
  const repository = query.text('repo');
  const tags = repository === '' ? [] : [targetReference(repository, query.text('tag'))];
  const own = defaultsOf({ ...originOf(container.spec).config, ...request });
  const defaults = changedDefaults(
    own,
    query.texts('changes').flatMap((text) => text.split('\n')),
  );
  const base = engine.images.get(container.spec.imageId);
  const layer = await commitLayer(engine, container, query.flag('pause', true), signal);
  using _ = engine.images.hold(layer.chainId);
  const config = imageConfig(base.config, layer, defaults, container, query);
  const image = await engine.images.add({ config, parent: base.id, tags }, signal);
  const attributes = { ...actor(container), comment: query.text('comment'), imageID: image.id };
  engine.events.publish('container', 'commit', container.id, attributes);
  return json({ Id: image.id }, 201);
}

/** Nothing writes meanwhile, unless the client does not mind. */
async function commitLayer(
  { containers, snapshots }: Context['engine'],
  container: Container,
  pauses: boolean,
  signal: AbortSignal,
): Promise<Layer> {
  if (container.state.status === 'removing' || container.state.status === 'dead') {
    const state = `container ${container.id} is ${container.state.status}`;
    throw new StatusError('Conflict', `You cannot commit container ${container.id}: ${state}`);
  }
  if (!pauses || container.state.status !== 'running') return await snapshots.commitCopy(container.id, signal);
  await containers.pause(container.id);
  try {
    return await snapshots.commitCopy(container.id, signal);
  } finally {
    await containers.unpause(container.id);
  }
}

function imageConfig(
  base: ImageConfig,
  layer: Layer,
  defaults: ImageDefaults,
  container: Container,
  query: Query,
): ImageConfig {
  const created = new Date(nowMs()).toISOString();
  const [author, comment] = [query.text('author'), query.text('comment')];
  const step = {
    created,
    created_by: container.spec.args.join(' '),
    ...(author !== '' && { author }),
    ...(comment !== '' && { comment }),
  };
  const { architecture, os, variant } = base;
  return {
    architecture,
    os,
    ...(variant !== undefined && { variant }),
    created,
    ...(author !== '' && { author }),
    config: defaults,
    rootfs: { type: 'layers', diff_ids: [...base.rootfs.diff_ids, layer.diffId] },
    history: [...(base.history ?? []), step],
  };
}

/** The part of a container's configuration that an image keeps. */
function defaultsOf(config: Config): ImageDefaults {
  const { User, ExposedPorts, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels, StopSignal, StopTimeout } = config;
  const { Healthcheck, Shell, OnBuild } = config;
  const kept = { User, ExposedPorts, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels, StopSignal, StopTimeout };
  const all = { ...kept, Healthcheck, Shell, OnBuild };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as ImageDefaults;
}
