import { StatusError } from '#base/errors.ts';
import { formatPlatform } from '#formats/oci-json.ts';
import type { Descriptor, Platform } from '#formats/oci.ts';

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
