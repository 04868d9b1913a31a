import { StatusError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import { isDigest, mediaTypes } from './oci.ts';
import type { Descriptor, Digest, ImageConfig, Index, Manifest, Platform } from './oci.ts';

/** Most layers of an image; overlayfs and Docker end at 127. */
const layersMost = 127;
const manifestsMost = 1024;

/** What a registry's manifest bytes can be. */
export type ManifestDocument =
  | { readonly kind: 'manifest'; readonly mediaType: string; readonly manifest: Manifest }
  | { readonly kind: 'index'; readonly mediaType: string; readonly index: Index };

/**
 * Reads manifest bytes of an image or an index. `contentType` is what the transport said of them, if anything; where
 * bytes and transport disagree, or the bytes could be read as both kinds, they are refused (OCI image specification,
 * manifest.md and image-index.md on `mediaType`). Throws Damaged, or NotSupported for Docker's schema 1.
 */
export function parseManifest(bytes: Uint8Array, contentType: string | undefined): ManifestDocument {
  const value = parseJson(bytes, 'manifest');
  const said = contentType?.split(';')[0]?.trim().toLowerCase();
  if (value['schemaVersion'] === 1 || said?.startsWith('application/vnd.docker.distribution.manifest.v1') === true) {
    throw new StatusError(
      'NotSupported',
      'Docker Image Format v1 and Docker Image manifest version 2, schema 1 are not supported; push the image again with a current client',
    );
  }
  if (value['schemaVersion'] !== 2) throw damaged('manifest', 'schemaVersion is not 2');
  const own = value['mediaType'];
  if (own !== undefined && typeof own !== 'string') throw damaged('manifest', 'mediaType is not a string');
  const generic = said === undefined || said === '' || said === 'application/json' || said === 'text/plain';
  if (own !== undefined && !generic && own.toLowerCase() !== said) {
    throw damaged('manifest', `it says ${own}, its transport says ${said}`);
  }
  if ('layers' in value === 'manifests' in value) throw damaged('manifest', 'it is not either an image or an index');
  const mediaType = own ?? (generic ? undefined : said);
  if ('manifests' in value) return readIndex(value, mediaType ?? mediaTypes.ociIndex);
  return readManifest(value, mediaType ?? mediaTypes.ociManifest);
}

/** Reads the configuration of an image; one without layers may leave `diff_ids` away. Throws Damaged. */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const value = parseJson(bytes, 'image configuration');
  const { rootfs } = value;
  if (!isObject(rootfs)) throw damaged('image configuration', 'rootfs is missing');
  const diffIds: unknown = rootfs['diff_ids'] ?? [];
  if (!Array.isArray(diffIds)) throw damaged('image configuration', 'rootfs.diff_ids is no list');
  if (diffIds.length > layersMost) throw damaged('image configuration', `more than ${String(layersMost)} layers`);
  if (!diffIds.every((one): one is Digest => typeof one === 'string' && isDigest(one))) {
    throw damaged('image configuration', 'rootfs.diff_ids are not all sha256 digests');
  }
  for (const name of ['architecture', 'os', 'variant', 'created', 'author'] as const) {
    const field = value[name];
    if (field !== undefined && typeof field !== 'string') throw damaged('image configuration', `${name} is no string`);
  }
  checkDefaults(value['config']);
  if (value['history'] !== undefined && value['history'] !== null && !isListOf(value['history'], isObject)) {
    throw damaged('image configuration', 'history is no list of objects');
  }
  return { ...value, rootfs: { ...rootfs, diff_ids: diffIds } } as unknown as ImageConfig;
}

/** `linux/arm64/v8`. */
export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter((part) => part !== undefined).join('/');
}

/** Parses bytes that must hold a JSON object. Throws Damaged. */
export function parseJson(bytes: Uint8Array, what: string): Record<string, unknown> {
  const value = parseJsonValue(bytes, what);
  if (!isObject(value)) throw damaged(what, 'it is no JSON object');
  return value;
}

/** Parses bytes that must hold JSON. Throws Damaged. */
export function parseJsonValue(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new StatusError('Damaged', `Cannot read ${what}: it is no JSON`, { cause: error });
  }
}

function readManifest(value: Record<string, unknown>, mediaType: string): ManifestDocument {
  const config = readDescriptor(value['config'], 'config');
  const layers = value['layers'];
  if (!Array.isArray(layers)) throw damaged('manifest', 'layers is no list');
  if (layers.length > layersMost) throw damaged('manifest', `more than ${String(layersMost)} layers`);
  const read = layers.map((one, index) => readDescriptor(one, `layers[${String(index)}]`));
  return {
    kind: 'manifest',
    mediaType,
    manifest: { schemaVersion: 2, mediaType, config, layers: read, ...readCommon(value) },
  };
}

function readIndex(value: Record<string, unknown>, mediaType: string): ManifestDocument {
  const manifests = value['manifests'];
  if (!Array.isArray(manifests)) throw damaged('index', 'manifests is no list');
  if (manifests.length > manifestsMost) throw damaged('index', `more than ${String(manifestsMost)} manifests`);
  const read = manifests.map((one, index) => readDescriptor(one, `manifests[${String(index)}]`));
  return { kind: 'index', mediaType, index: { schemaVersion: 2, mediaType, manifests: read, ...readCommon(value) } };
}

/** What images and indexes share since version 1.1 of the specification. */
function readCommon(value: Record<string, unknown>): Pick<Manifest, 'artifactType' | 'subject' | 'annotations'> {
  const { artifactType, subject, annotations } = value;
  return {
    ...(typeof artifactType === 'string' && artifactType !== '' ? { artifactType } : {}),
    ...(subject === undefined || subject === null ? {} : { subject: readDescriptor(subject, 'subject') }),
    ...(isObject(annotations) ? { annotations: readStrings(annotations) } : {}),
  };
}

function readDescriptor(value: unknown, where: string): Descriptor {
  if (!isObject(value)) throw damaged('manifest', `${where} is no object`);
  const { mediaType, digest, size, platform, annotations } = value;
  if (typeof mediaType !== 'string') throw damaged('manifest', `${where}.mediaType is no string`);
  if (typeof digest !== 'string' || !isDigest(digest)) throw damaged('manifest', `${where}.digest is no sha256 digest`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw damaged('manifest', `${where}.size is no number of bytes`);
  }
  return {
    mediaType,
    digest,
    size,
    ...(isObject(platform) ? { platform: readPlatform(platform) } : {}),
    ...(isObject(annotations) ? { annotations: readStrings(annotations) } : {}),
  };
}

function readPlatform(value: Record<string, unknown>): Platform {
  const { os, architecture, variant } = value;
  return {
    os: typeof os === 'string' ? os : '',
    architecture: typeof architecture === 'string' ? architecture : '',
    ...(typeof variant === 'string' && variant !== '' ? { variant } : {}),
  };
}

function readStrings(value: Record<string, unknown>): Readonly<Record<string, string>> {
  const pairs = Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === 'string');
  return Object.fromEntries(pairs);
}

/** The fields that containers are made from must have the right shapes; others are kept as they are. */
function checkDefaults(config: unknown): void {
  if (config === undefined || config === null) return;
  if (!isObject(config)) throw damaged('image configuration', 'config is no object');
  const wrong = Object.entries(defaultShapes).find(([name, fits]) => {
    const field = config[name];
    return field !== undefined && field !== null && !fits(field);
  });
  if (wrong !== undefined) throw damaged('image configuration', `config.${wrong[0]} has the wrong type`);
}

const isString = (value: unknown): value is string => typeof value === 'string';
const isStrings = (value: unknown): boolean => isListOf(value, isString);
const isStringMap = (value: unknown): boolean => isObject(value) && Object.values(value).every(isString);

const defaultShapes: Readonly<Record<string, (value: unknown) => boolean>> = {
  User: isString,
  WorkingDir: isString,
  StopSignal: isString,
  StopTimeout: (value) => typeof value === 'number',
  Env: isStrings,
  Entrypoint: isStrings,
  Cmd: isStrings,
  Shell: isStrings,
  OnBuild: isStrings,
  ExposedPorts: isObject,
  Volumes: isObject,
  Labels: isStringMap,
  Healthcheck: isObject,
};

function isListOf(value: unknown, fits: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(fits);
}

function damaged(what: string, why: string): StatusError {
  return new StatusError('Damaged', `Cannot read ${what}: ${why}`);
}
