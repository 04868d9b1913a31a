import { parseImageConfig } from '#formats/oci-json.ts';
import { platformOf } from '#formats/oci.ts';
import type { Platform } from '#formats/oci.ts';
import { withDefaultTag } from '#formats/reference.ts';
import type { Reference } from '#formats/reference.ts';
import type { RegistryAuth, RegistryImage } from '../images.ts';
import { Repository } from '../registry/repository.ts';
import type { FetchedManifest } from '../registry/repository.ts';
import type { Room } from '../room.ts';

/** What a registry has under a reference; see `Images.lookUp`. */
export async function lookUpImage(
  room: Room,
  asked: Reference,
  auth: RegistryAuth | undefined,
  signal: AbortSignal,
): Promise<RegistryImage> {
  const reference = withDefaultTag(asked);
  const repository = new Repository(room.connect(reference.domain, auth), reference, 'pull');
  const found = await repository.getManifest(reference.digest ?? reference.tag ?? '', signal);
  const { mediaType } = found.document;
  const descriptor = { mediaType, digest: found.digest, size: found.bytes.length };
  return { descriptor, platforms: await platformsOf(repository, found, signal) };
}

async function platformsOf(
  repository: Repository,
  { document }: FetchedManifest,
  signal: AbortSignal,
): Promise<readonly Platform[]> {
  if (document.kind === 'index') return document.index.manifests.flatMap(({ platform }) => platform ?? []);
  return [platformOf(parseImageConfig(await repository.getConfig(document.manifest.config, signal)))];
}
