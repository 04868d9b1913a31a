import { createHash } from 'node:crypto';

import { StatusError } from '#base/errors.ts';
import type { Image, Images, NewImage } from '#engine/images/images.ts';
import type { Digest, ImageDefaults } from '#formats/oci.ts';
import type { Layer } from '#engine/snapshots/snapshots.ts';
import { familiarReference, type Reference } from '#formats/reference.ts';

/** Images in memory, and a registry of those that can be pulled. */
export class FakeImages {
  readonly pulls: string[] = [];
  readonly #here = new Map<string, Image>();
  readonly #remote = new Map<string, Image>();

  /** What the builder needs of Images; anything else is a mistake of the test. */
  get images(): Images {
    const part: Pick<Images, 'find' | 'list' | 'hold' | 'add' | 'pull'> = {
      find: (name) => this.find(name),
      list: () => this.list(),
      hold: () => ({ [Symbol.dispose]: () => {} }),
      add: (image) => this.add(image),
      pull: (reference) => this.pull(reference),
    };
    return part as Images;
  }

  /** An image of one layer or none, here or in the registry. */
  offer(
    name: string,
    layer: Layer | undefined,
    defaults: ImageDefaults = {},
    where: 'here' | 'remote' = 'here',
  ): Image {
    const image = imageOf({
      config: {
        architecture: 'amd64',
        os: 'linux',
        created: '2024-01-02T03:04:05Z',
        config: defaults,
        rootfs: { type: 'layers', diff_ids: layer === undefined ? [] : [layer.diffId] },
      },
    });
    const full = { ...image, tags: [name], topLayer: layer?.chainId };
    (where === 'here' ? this.#here : this.#remote).set(name, full);
    return full;
  }

  find(name: string): Image | undefined {
    return this.#here.get(name) ?? this.#here.get(`${name}:latest`) ?? this.list().find(({ id }) => id === name);
  }

  list(): readonly Image[] {
    return [...this.#here.values()];
  }

  async add(added: NewImage): Promise<Image> {
    const image = imageOf(added);
    this.#here.set(image.id, image);
    for (const tag of added.tags ?? []) this.#here.set(familiarReference(tag), image);
    return await Promise.resolve(image);
  }

  async pull(reference: Reference): Promise<Image> {
    const name = familiarReference(reference);
    this.pulls.push(name);
    const image = this.#remote.get(name);
    if (image === undefined) throw new StatusError('NotFound', `manifest for ${name} not found: manifest unknown`);
    this.#here.set(name, image);
    return await Promise.resolve(image);
  }
}

function imageOf({ config }: NewImage): Image {
  const bytes = Buffer.from(JSON.stringify(config));
  const id: Digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return {
    id,
    config,
    configBytes: bytes,
    tags: [],
    repoDigests: [],
    topLayer: chainOf(config.rootfs.diff_ids),
    sizeBytes: 0,
    parent: undefined,
    lastTaggedNs: 0n,
  };
}

function chainOf(diffIds: readonly Digest[]): Digest | undefined {
  return diffIds.reduce<Digest | undefined>(
    (below, diffId) =>
      below === undefined ? diffId : `sha256:${createHash('sha256').update(`${below} ${diffId}`).digest('hex')}`,
    undefined,
  );
}
