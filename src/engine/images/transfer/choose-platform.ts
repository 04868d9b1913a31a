import { StatusError } from '#base/errors.ts';
import { formatPlatform } from '#formats/oci-json.ts';
import type { Descriptor, Platform } from '#formats/oci.ts';

/** Variants that go without saying (containerd, platforms/defaults). */
const plainVariants: Readonly<Record<string, string>> = { arm64: 'v8', arm: 'v7' };
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', loong64: 'loong64' };

/** The platform of this machine in the words of image indexes (Go's GOOS and GOARCH). */
export function hostPlatform(): Platform {
  const architecture = architectures[process.arch] ?? process.arch;
  return { os: 'linux', architecture, ...(architecture === 'arm64' ? { variant: 'v8' } : {}) };
}

/** The entry of an index for a platform, one of the same variant before one of another. Throws NotFound. */
export function choosePlatform(entries: readonly Descriptor[], wanted: Platform): Descriptor {
  const fitting = entries.filter(({ platform }) => platform !== undefined && fitsPlatform(platform, wanted));
  const exact = fitting.find(({ platform }) => platform?.variant === wanted.variant);
  const chosen = exact ?? fitting[0];
  if (chosen !== undefined) return chosen;
  throw new StatusError('NotFound', `no matching manifest for ${formatPlatform(wanted)} in the manifest list entries`);
}

/** Whether a machine of the wanted platform runs it; the variant may be left open. */
export function fitsPlatform(platform: Platform, wanted: Platform): boolean {
  return platform.os === wanted.os && platform.architecture === wanted.architecture;
}

/** Whether an image is just of the wanted platform. */
export function isPlatform(platform: Platform, wanted: Platform): boolean {
  const variant = ({ variant: said, architecture }: Platform): string => said ?? plainVariants[architecture] ?? '';
  return fitsPlatform(platform, wanted) && variant(platform) === variant(wanted);
}

/** The one of several that runs on the wanted platform, one of just that variant before another. */
export function findPlatform<T extends { readonly config: Platform }>(
  images: readonly T[],
  wanted: Platform,
): T | undefined {
  return (
    images.find(({ config }) => isPlatform(config, wanted)) ?? images.find(({ config }) => fitsPlatform(config, wanted))
  );
}

/** Images of one name, with that first which the name means when no platform is said. */
export function hostFirst<T extends { readonly config: Platform }>(images: readonly T[]): readonly T[] {
  const first = findPlatform(images, hostPlatform());
  return first === undefined ? images : [first, ...images.filter((one) => one !== first)];
}
