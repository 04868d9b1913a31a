import { mediaTypes } from '#formats/oci.ts';
import type { Descriptor, Manifest } from '#formats/oci.ts';

/** What the registry has of one layer. */
export type PushedLayer = Pick<Descriptor, 'digest' | 'size' | 'mediaType'>;

/** Docker's layer types that have an OCI type for the same bytes. */
const ociTypes: Readonly<Record<string, string>> = {
  [mediaTypes.dockerLayerGzip]: mediaTypes.ociLayerGzip,
  'application/vnd.docker.image.rootfs.diff.tar': mediaTypes.ociLayer,
  'application/vnd.docker.image.rootfs.diff.tar.zstd': mediaTypes.ociLayerZstd,
};

/** The type that OCI has for a layer's bytes. */
export function ociLayerType(type: string): string {
  return ociTypes[type] ?? type;
}

/**
 * The manifest to push: the very bytes that the image came with when the registry has just those layers, so that its
 * digest stays; else a new one, of Docker's kind when all layers are gzip, which every client reads, unless OCI's is asked
 * for.
 */
export function manifestToPush(
  original: { readonly bytes: Uint8Array; readonly manifest: Manifest; readonly mediaType: string } | undefined,
  config: { readonly digest: Descriptor['digest']; readonly size: number },
  layers: readonly PushedLayer[],
  kind: 'docker' | 'oci' = 'docker',
): { readonly bytes: Uint8Array; readonly mediaType: string } {
  if (original !== undefined && isSame(original.manifest, config, layers)) return original;
  const isGzip = ({ mediaType }: PushedLayer): boolean =>
    [mediaTypes.dockerLayerGzip, mediaTypes.ociLayerGzip].includes(mediaType as never);
  const docker = kind === 'docker' && layers.every(isGzip);
  const mediaType = docker ? mediaTypes.dockerManifest : mediaTypes.ociManifest;
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType,
    config: { mediaType: docker ? mediaTypes.dockerConfig : mediaTypes.ociConfig, ...config },
    layers: layers.map(({ digest, size, mediaType: type }) => ({
      mediaType: docker ? mediaTypes.dockerLayerGzip : ociLayerType(type),
      digest,
      size,
    })),
  };
  return { bytes: Buffer.from(JSON.stringify(manifest)), mediaType };
}

function isSame(manifest: Manifest, config: { readonly digest: string }, layers: readonly PushedLayer[]): boolean {
  if (manifest.config.digest !== config.digest || manifest.layers.length !== layers.length) return false;
  return manifest.layers.every(({ digest }, index) => digest === layers[index]?.digest);
}
