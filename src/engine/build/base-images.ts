import type { Platform } from '#formats/oci.ts';
import { parseReference, withDefaultTag } from '#formats/reference.ts';
import type { Image, Images } from '../images/images.ts';
import type { BuildEvent, BuildRequest } from './builder.ts';

/** The images that a build begins with or copies from: those of this machine, or pulled, each at most once a build. */
export class BaseImages {
  readonly #images: Images;
  readonly #request: BuildRequest;
  readonly #platform: Platform;
  readonly #found = new Map<string, Promise<Image>>();

  constructor(images: Images, request: BuildRequest, platform: Platform) {
    this.#images = images;
    this.#request = request;
    this.#platform = platform;
  }

  /** `platform` undefined: the build's. Throws what the pull throws. */
  async get(
    name: string,
    platform: Platform | undefined,
    emit: (event: BuildEvent) => void,
    signal: AbortSignal,
  ): Promise<Image> {
    const key = JSON.stringify([name, platform ?? null]);
    const known = this.#found.get(key);
    if (known !== undefined) return await known;
    const found = this.#find(name, platform, emit, signal);
    this.#found.set(key, found);
    return await found;
  }

  async #find(
    name: string,
    platform: Platform | undefined,
    emit: (event: BuildEvent) => void,
    signal: AbortSignal,
  ): Promise<Image> {
    const here = this.#images.find(name);
    const isId = here !== undefined && here.id.replace('sha256:', '').startsWith(name.replace('sha256:', ''));
    const fits = here !== undefined && (platform === undefined || fitsPlatform(here, platform));
    if (here !== undefined && (isId || (fits && !this.#request.pull))) return here;
    const reference = withDefaultTag(parseReference(name));
    const auth = await this.#request.auth(reference.domain);
    const wanted = platform ?? this.#platform;
    return await this.#images.pull(
      reference,
      { platform: wanted, ...(auth === undefined ? {} : { auth }) },
      (progress) => emit({ kind: 'progress', ...progress }),
      signal,
    );
  }
}

function fitsPlatform({ config }: Image, { os, architecture, variant }: Platform): boolean {
  if (config.os !== os || config.architecture !== architecture) return false;
  return variant === undefined || config.variant === undefined || config.variant === variant;
}
