import { formatPlatform } from '#formats/oci-json.ts';
import { mediaTypes } from '#formats/oci.ts';
import type { Descriptor, Digest, Index, Platform } from '#formats/oci.ts';
import { familiarName } from '#formats/reference.ts';
import type { Reference } from '#formats/reference.ts';
import type { Attestation } from './images.ts';
import { digestOf } from './store/chain.ts';

/** An image of an index that is made here, by its manifest, and what is claimed of it. */
export interface IndexedImage {
  readonly manifest: Pick<Descriptor, 'mediaType' | 'digest' | 'size'>;
  readonly platform: Platform;
  readonly attestations: readonly Attestation[];
}

interface Document {
  readonly bytes: Uint8Array;
  readonly digest: Digest;
}

export interface MadeIndex extends Document {
  readonly index: Index;
  readonly mediaType: string;
  /** Manifests that the index names besides those of its images. */
  readonly manifests: readonly (Document & { readonly mediaType: string })[];
  /** What those manifests name. */
  readonly blobs: readonly Document[];
}

const inTotoType = 'application/vnd.in-toto+json';
const statementType = 'https://in-toto.io/Statement/v0.1';
const nowhere: Platform = { os: 'unknown', architecture: 'unknown' };

/**
 * The index of images that one tag stands for, with a manifest of in-toto statements for each image of which something is
 * claimed (buildkit: docs/attestations/attestation-storage.md). The same images give the same bytes.
 */
export function makeIndex(images: readonly IndexedImage[], tag: Reference): MadeIndex {
  const manifests: MadeIndex['manifests'][number][] = [];
  const blobs: Document[] = [];
  const own = images.map(({ manifest: { mediaType, digest, size }, platform }) => ({
    mediaType,
    digest,
    size,
    platform,
  }));
  const claims = images.flatMap((image): readonly Descriptor[] => {
    if (image.attestations.length === 0) return [];
    const claim = claimsOf(image, tag);
    manifests.push(claim.manifest);
    blobs.push(...claim.blobs);
    return [
      {
        mediaType: claim.manifest.mediaType,
        digest: claim.manifest.digest,
        size: claim.manifest.bytes.length,
        annotations: {
          'vnd.docker.reference.digest': image.manifest.digest,
          'vnd.docker.reference.type': 'attestation-manifest',
        },
        platform: nowhere,
      },
    ];
  });
  const index: Index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [...own, ...claims] };
  return { ...documentOf(index), index, mediaType: mediaTypes.ociIndex, manifests, blobs };
}

function claimsOf(
  { manifest: { digest }, platform, attestations }: IndexedImage,
  tag: Reference,
): { readonly manifest: MadeIndex['manifests'][number]; readonly blobs: readonly Document[] } {
  const subject = [{ name: packageUrl(tag, platform), digest: { sha256: digest.replace('sha256:', '') } }];
  const statements = attestations.map(({ predicateType, predicate }) => ({
    predicateType,
    ...documentOf({
      _type: statementType,
      predicateType,
      subject,
      predicate: JSON.parse(Buffer.from(predicate).toString()),
    }),
  }));
  const config = documentOf({
    architecture: nowhere.architecture,
    os: nowhere.os,
    config: {},
    rootfs: { type: 'layers', diff_ids: statements.map((statement) => statement.digest) },
  });
  const mediaType = mediaTypes.ociManifest;
  const document = documentOf({
    schemaVersion: 2,
    mediaType,
    config: { mediaType: mediaTypes.ociConfig, digest: config.digest, size: config.bytes.length },
    layers: statements.map((statement) => ({
      mediaType: inTotoType,
      digest: statement.digest,
      size: statement.bytes.length,
      annotations: { 'in-toto.io/predicate-type': statement.predicateType },
    })),
  });
  const blobs = [config, ...statements].map(({ bytes, digest: own }) => ({ bytes, digest: own }));
  return { manifest: { ...document, mediaType }, blobs };
}

/** As BuildKit names subjects and materials: `pkg:docker/<name>@<tag>?platform=linux%2Famd64`. */
export function packageUrl(reference: Reference, platform: Platform): string {
  const name = familiarName(reference).split('/').map(encodeURIComponent).join('/').replaceAll('%3A', ':');
  const version = encodeURIComponent(reference.tag ?? reference.digest ?? 'latest').replaceAll('%3A', ':');
  return `pkg:docker/${name}@${version}?platform=${encodeURIComponent(formatPlatform(platform))}`;
}

function documentOf(value: unknown): Document {
  const bytes = Buffer.from(JSON.stringify(value));
  return { bytes, digest: digestOf(bytes) };
}
