import { type Platform, platformOf } from '#formats/oci.ts';
import { fullName, parseReference, withDefaultTag } from '#formats/reference.ts';
import type { Image, Images } from '../images/images.ts';
import type { BaseImage, BuildEvent, BuildRequest } from './builder.ts';

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

  /** Those that were asked for and found. */
  async used(): Promise<readonly BaseImage[]> {
    const found = await Promise.allSettled(
      [...this.#found].map(async ([key, image]) => baseOf((JSON.parse(key) as [string])[0], await image)),
    );
    return found.flatMap((one) => (one.status === 'fulfilled' && one.value !== undefined ? [one.value] : []));
  }

  async #find(
    name: string,
    platform: Platform | undefined,
    emit: (event: BuildEvent) => void,
    signal: AbortSignal,
  ): Promise<Image> {
    const here = (platform && this.#images.find(name, platform)) ?? this.#images.find(name);
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

/** undefined for an image that was named by its ID, which means nothing elsewhere. */
function baseOf(name: string, { id, config, repoDigests }: Image): BaseImage | undefined {
  if (id.replace('sha256:', '').startsWith(name.replace('sha256:', ''))) return undefined;
  const reference = withDefaultTag(parseReference(name));
  const known = repoDigests.map(parseReference).find((one) => fullName(one) === fullName(reference));
  return { reference, platform: platformOf(config), digest: reference.digest ?? known?.digest };
}

function fitsPlatform({ config }: Image, { os, architecture, variant }: Platform): boolean {
  if (config.os !== os || config.architecture !== architecture) return false;
  return variant === undefined || config.variant === undefined || config.variant === variant;
}
