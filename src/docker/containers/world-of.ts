import { availableParallelism, hostname } from 'node:os';

import type { Engine } from '#engine/engine.ts';
import type { Image } from '#engine/images/images.ts';
import { readHostFacts } from '#engine/runtime/spec/host-facts.ts';

import type { World } from '../translate/container-spec.ts';

/** What a container of an image is translated against. */
export function worldOf(engine: Engine, image: Image): World {
  return {
    image: { id: image.id, defaults: image.config.config ?? {} },
    container: (name) => engine.containers.get(name),
    network: (name) => engine.networks.get(name),
    cpus: availableParallelism(),
    defaultLog: engine.options.defaultLog,
    hostname: hostname(),
    facts: readHostFacts(),
    runtimes: engine.runtimes,
  };
}
