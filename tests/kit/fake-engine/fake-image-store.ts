import { createHash } from 'node:crypto';

import { StatusError } from '#base/errors.ts';
import type {
  FoundRepository,
  Image,
  ImageManifests,
  Images,
  NewImage,
  OnProgress,
  RegistryAuth,
  RegistryImage,
  RemovedImage,
  SavedPlatform,
} from '#engine/images/images.ts';
import type { Layer } from '#engine/snapshots/snapshots.ts';
import { formatPlatform } from '#formats/oci-json.ts';
import { mediaTypes } from '#formats/oci.ts';
import type { Digest, ImageDefaults, Platform } from '#formats/oci.ts';
import { familiarReference, fullName, type Reference } from '#formats/reference.ts';

/** Images without files, and a registry that tests fill. */
export class FakeImageStore implements Images {
  readonly scratchDir = '/nonexistent';
  readonly #images = new Map<Digest, Image>();
  /** What a pull finds, by familiar reference. */
  readonly registry = new Map<string, ImageDefaults>();
  /** What was asked of the store, for assertions. */
  readonly calls: string[] = [];
  readonly layer: Layer = {
    chainId: digestOf('chain'),
    diffId: digestOf('layer'),
    parent: undefined,
    sizeBytes: 5,
  };

  /** Puts an image there as if it had been built. */
  offer(tag: string, defaults: ImageDefaults = {}, created = '2026-01-02T03:04:05Z'): Image {
    const rootfs = { type: 'layers' as const, diff_ids: [digestOf(`layer of ${tag}`)] };
    const history = [{ created, created_by: 'made by a test' }];
    const config = { architecture: 'amd64', os: 'linux', created, config: defaults, rootfs, history };
    const bytes = Buffer.from(JSON.stringify([tag, config]));
    const image: Image = {
      id: digestOf(bytes),
      config,
      configBytes: bytes,
      tags: [tag],
      repoDigests: [],
      topLayer: digestOf(`layer of ${tag}`),
      sizeBytes: 1000,
      parent: undefined,
      lastTaggedNs: 1_700_000_000_123_000_000n,
    };
    this.#images.set(image.id, image);
    return image;
  }

  get(name: string, platform?: Platform): Image {
    const image = this.find(name);
    if (image === undefined) throw new StatusError('NotFound', `No such image: ${name}`);
    const { os, architecture } = image.config;
    if (platform === undefined || platform.architecture === architecture) return image;
    const text = `its platform (${os}/${architecture}) does not match the specified platform (${formatPlatform(platform)})`;
    throw new StatusError('NotFound', `image with reference ${name} was found but ${text}`);
  }

  /** Each image is one of two that its names stand for; the other is not here. */
  async manifests(name: string): Promise<ImageManifests> {
    const image = this.get(name);
    const descriptor = { mediaType: mediaTypes.ociManifest, digest: digestOf(image.id), size: 500 };
    const absent = {
      ...descriptor,
      digest: digestOf('absent'),
      platform: { os: 'linux', architecture: 's390x' },
      annotations: {},
    };
    return await Promise.resolve({
      target: { mediaType: mediaTypes.ociIndex, digest: digestOf('index'), size: 900 },
      entries: [
        { descriptor, image, contentBytes: 600 },
        { descriptor: absent, image: undefined, contentBytes: 0 },
      ],
    });
  }

  find(name: string): Image | undefined {
    const all = this.list();
    return (
      all.find(({ id, tags }) => id === name || tags.includes(name) || tags.includes(`${name}:latest`)) ??
      all.find(({ id }) => name.length > 3 && (id.startsWith(name) || id.startsWith(`sha256:${name}`)))
    );
  }

  list(): readonly Image[] {
    return [...this.#images.values()];
  }

  hold(): Disposable {
    return { [Symbol.dispose]: () => {} };
  }

  async add({ config, parent, tags = [] }: NewImage): Promise<Image> {
    const image = this.offer('added', config.config ?? {});
    const added = { ...image, config, parent, tags: tags.map(familiarReference) };
    this.#images.set(image.id, added);
    return added;
  }

  async tag(name: string, reference: Reference): Promise<void> {
    const image = this.get(name);
    this.#images.set(image.id, { ...image, tags: [...image.tags, familiarReference(reference)] });
  }

  async remove(name: string, options: object): Promise<readonly RemovedImage[]> {
    this.calls.push(`remove ${name} ${JSON.stringify(options)}`);
    const image = this.get(name);
    this.#images.delete(image.id);
    return [...image.tags.map((untagged) => ({ untagged })), { deleted: image.id }];
  }

  async prune(options: Parameters<Images['prune']>[0]): ReturnType<Images['prune']> {
    const gone = this.list().filter(
      (image) => (!options.danglingOnly || image.tags.length === 0) && (options.only?.(image) ?? true),
    );
    for (const { id } of gone) this.#images.delete(id);
    return { removed: gone.map(({ id }) => ({ deleted: id })), freedBytes: gone.length };
  }

  async pull(reference: Reference, options: { readonly auth?: RegistryAuth }, onProgress: OnProgress): Promise<Image> {
    const name = familiarReference(reference);
    this.calls.push(`pull ${name} ${JSON.stringify(options)}`);
    const defaults = this.registry.get(name);
    if (defaults === undefined) throw new StatusError('NotFound', `manifest for ${name} not found: manifest unknown`);
    const before = this.find(name);
    onProgress({ id: reference.tag ?? '', status: `Pulling from ${reference.path}` });
    onProgress({ id: 'abc', status: 'Downloading', currentBytes: 1, totalBytes: 2 });
    if (defaults.Labels?.['breaks'] === 'yes') throw new StatusError('Unavailable', 'the registry went away');
    onProgress({ id: 'abc', status: 'Pull complete' });
    const news = before === undefined ? 'Downloaded newer image' : 'Image is up to date';
    onProgress({ id: '', status: `Status: ${news} for ${name}` });
    return this.offer(name, defaults);
  }

  async push(reference: Reference, options: object, onProgress: OnProgress): ReturnType<Images['push']> {
    this.calls.push(`push ${familiarReference(reference)} ${JSON.stringify(options)}`);
    onProgress({ id: '', status: `The push refers to repository [${fullName(reference)}]` });
    onProgress({ id: 'abc', status: 'Pushed' });
    onProgress({ id: '', status: `${reference.tag ?? ''}: digest: ${digestOf('manifest')} size: 528` });
    return { digest: digestOf('manifest'), sizeBytes: 528 };
  }

  pushArtifact(): never {
    throw new Error('no test of a face pushes artifacts');
  }

  openArtifact(): never {
    throw new Error('no test of a face opens artifacts');
  }

  storeArtifact(): never {
    throw new Error('no test of a face stores artifacts');
  }

  openStored(): never {
    throw new Error('no test of a face opens stored artifacts');
  }

  async lookUp(reference: Reference, options: object): Promise<RegistryImage> {
    const name = familiarReference(reference);
    this.calls.push(`lookUp ${name} ${JSON.stringify(options)}`);
    if (!this.registry.has(name)) throw new StatusError('NotFound', `manifest for ${name} not found: manifest unknown`);
    const descriptor = { mediaType: mediaTypes.ociManifest, digest: digestOf(name), size: 500 };
    return await Promise.resolve({ descriptor, platforms: [{ os: 'linux', architecture: 'amd64' }] });
  }

  async search(query: Parameters<Images['search']>[0]): Promise<readonly FoundRepository[]> {
    this.calls.push(`search ${JSON.stringify(query)}`);
    const found = { description: '', isOfficial: true, isAutomated: false };
    return await Promise.resolve([
      { ...found, name: query.term, stars: 20 },
      { ...found, name: `my-${query.term}`, stars: 2, isOfficial: false },
    ]);
  }

  async login(registry: string, auth: RegistryAuth): Promise<string | undefined> {
    this.calls.push(`login ${registry} ${JSON.stringify(auth)}`);
    if (auth.password !== 'right') throw new StatusError('Unauthorized', 'incorrect username or password');
    return await Promise.resolve(registry.startsWith('tokens') ? 'an identity token' : undefined);
  }

  async *save(names: readonly string[]): AsyncGenerator<Uint8Array, void, undefined> {
    await Promise.resolve();
    yield Buffer.from(`saved ${names.join(' ')}`);
  }

  async *saveAs(
    images: readonly SavedPlatform[],
    tags: readonly Reference[],
  ): AsyncGenerator<Uint8Array, void, undefined> {
    yield* this.save([...images.map(({ id }) => id), ...tags.map(familiarReference)]);
  }

  async load(tar: AsyncIterable<Uint8Array>, _options: object, onProgress: OnProgress): Promise<readonly string[]> {
    const chunks = [];
    for await (const chunk of tar) chunks.push(chunk);
    onProgress({ id: '', status: 'Loading layer' });
    return [Buffer.concat(chunks).toString('utf8')];
  }

  async import(tar: AsyncIterable<Uint8Array>, options: Parameters<Images['import']>[1]): Promise<Image> {
    let sizeBytes = 0;
    for await (const chunk of tar) sizeBytes += chunk.length;
    this.calls.push(`import ${String(sizeBytes)} ${JSON.stringify(options)}`);
    return this.offer(options.tag === undefined ? 'imported' : familiarReference(options.tag), options.config);
  }
}

function digestOf(text: string | Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
