import { StatusError } from '#base/errors.ts';
import { formatPlatform, parseImageConfig } from '#formats/oci-json.ts';
import { mediaTypes } from '#formats/oci.ts';
import type { ImageConfig, Manifest, Platform } from '#formats/oci.ts';
import { fitsPlatform } from './choose-platform.ts';

const configTypes: readonly string[] = [mediaTypes.ociConfig, mediaTypes.dockerConfig];
const layerTypes: readonly string[] = [
  mediaTypes.ociLayer,
  mediaTypes.ociLayerGzip,
  mediaTypes.ociLayerZstd,
  mediaTypes.dockerLayerGzip,
  // What Docker's clients wrote for layers they did not compress.
  'application/vnd.docker.image.rootfs.diff.tar',
  'application/vnd.docker.image.rootfs.diff.tar.zstd',
];

/** Refuses manifests of other things than images, and layers that are not to be had from the registry. */
export function checkManifest(manifest: Manifest, name: string): void {
  if (!configTypes.includes(manifest.config.mediaType)) {
    throw new StatusError('NotSupported', `Cannot pull ${name}: it is no image but a ${manifest.config.mediaType}`);
  }
  const strange = manifest.layers.find(({ mediaType }) => !layerTypes.includes(mediaType));
  if (strange === undefined) return;
  throw new StatusError('NotSupported', `Cannot pull ${name}: layers of type ${strange.mediaType} are not supported`);
}

/**
 * Reads the configuration of an image of `layerCount` layers and checks that it runs here, or on `wanted`. Throws
 * Damaged, NotFound for another platform than the wanted one, NotSupported for another system than Linux.
 */
export function readImage(
  configBytes: Uint8Array,
  layerCount: number,
  name: string,
  wanted: Platform | undefined,
): ImageConfig {
  const config = parseImageConfig(configBytes);
  const diffIds = config.rootfs.diff_ids.length;
  if (diffIds !== layerCount) {
    const text = `its configuration names ${String(diffIds)} layers, its manifest ${String(layerCount)}`;
    throw new StatusError('Damaged', `Cannot use image ${name}: ${text}`);
  }
  if (config.os !== 'linux') {
    throw new StatusError('NotSupported', `image operating system "${config.os}" cannot be used on this platform`);
  }
  if (wanted === undefined || fitsPlatform(config, wanted)) return config;
  const [want, have] = [formatPlatform(wanted), formatPlatform(config)];
  const text = `does not match the specified platform: wanted ${want}, actual: ${have}`;
  throw new StatusError('NotFound', `image with reference ${name} was found but ${text}`);
}
