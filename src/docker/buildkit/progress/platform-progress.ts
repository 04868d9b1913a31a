import type { BuildEvent } from '#engine/build/builder.ts';
import { formatPlatform } from '#formats/oci-json.ts';
import type { Platform } from '#formats/oci.ts';

import type { BuildProgress } from './build-progress.ts';

/**
 * Shares the events of a build for several platforms out to the progress of each, by its name; without platforms there is
 * one, with the name ''. What the build checks say they say once.
 */
export function platformProgress(
  platforms: readonly Platform[],
  open: (platform: string) => Pick<BuildProgress, 'onEvent'>,
): (event: BuildEvent) => void {
  const names = platforms.length === 0 ? [''] : platforms.map(formatPlatform);
  const all = new Map(names.map((name) => [name, open(name)]));
  return (event) => {
    const name = event.platform === undefined ? (names[0] ?? '') : formatPlatform(event.platform);
    const isRepeated = event.kind === 'warning' && event.lint !== undefined && name !== names[0];
    if (!isRepeated) all.get(name)?.onEvent(event);
  };
}
