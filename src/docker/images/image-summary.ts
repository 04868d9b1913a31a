import type { Image } from '#engine/images/images.ts';
import type { Container } from '#engine/runtime/container.ts';

import { isoToSeconds } from '../text/timestamp.ts';

/** An image as GET /images/json shows it. `sharedBytes` -1: not computed. */
export function imageSummary(image: Image, containers: readonly Container[], sharedBytes: number): object {
  const { config } = image;
  return {
    Id: image.id,
    ParentId: image.parent ?? '',
    RepoTags: image.tags,
    RepoDigests: image.repoDigests,
    Created: config.created === undefined ? 0 : isoToSeconds(config.created),
    Size: image.sizeBytes,
    SharedSize: sharedBytes,
    Labels: config.config?.Labels ?? null,
    Containers: containers.filter(({ spec }) => spec.imageId === image.id).length,
  };
}
