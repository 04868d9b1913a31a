import { StatusError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type { CacheTarget } from '#engine/build/builder.ts';
import { type Digest, isDigest } from '#formats/oci.ts';

type Attributes = ReadonlyMap<string, string>;

interface CacheOption {
  readonly type: string;
  readonly attrs: Attributes;
}

/**
 * Attributes of caches that change nothing here: a cache is one manifest of OCI either way, and its tag in a folder, and
 * what else is in the folder, is the client's own business.
 */
const withoutEffect: ReadonlySet<string> = new Set(['image-manifest', 'oci-mediatypes', 'tag', 'reset']);

/** A cache in a folder of the client, by the client's name of it. */
interface FolderSource {
  readonly folder: string;
  readonly digest: Digest;
}

interface FolderTarget {
  readonly kind: 'folder';
  readonly folder: string;
  readonly mode: 'min' | 'max';
  readonly ignoresErrors: boolean;
}

/** `--cache-from`: the caches to look steps up in. Throws NotSupported for those that are nowhere where we can read. */
export function cacheSources(attributes: Attributes): readonly (string | FolderSource)[] {
  const listed = optionsOf(attributes.get('cache-imports') ?? '').map(({ type, attrs }) => {
    const { ref = '', src: folder = '', digest = '', ...others } = Object.fromEntries(attrs);
    const other = Object.keys(others).find((name) => !withoutEffect.has(name));
    if (other !== undefined) throw refused('from', type, other);
    if (type === 'local' && folder !== '' && isDigest(digest)) return { folder, digest };
    if (type !== 'registry' || ref === '') throw refused('from', type, undefined);
    return ref;
  });
  const plain = (attributes.get('cache-from') ?? '').split(',').filter((name) => name !== '');
  return [...new Set([...listed, ...plain])];
}

/** `--cache-to`. Throws NotSupported for what can only be ignored. */
export function cacheTargets(
  options: readonly CacheOption[],
): readonly (Exclude<CacheTarget, { readonly kind: 'store' }> | FolderTarget)[] {
  return options.map(({ type, attrs }) => {
    const { ref = '', dest: folder = '', mode = 'min', ...more } = Object.fromEntries(attrs);
    const { 'ignore-error': ignored = 'false', ...others } = more;
    const other = Object.keys(others).find((name) => !withoutEffect.has(name));
    if (other !== undefined) throw refused('to', type, other);
    if (type === 'inline') return { kind: 'inline' };
    const isPlaced = (type === 'registry' && ref !== '') || (type === 'local' && folder !== '');
    if (!isPlaced) throw refused('to', type, undefined);
    if (mode !== 'min' && mode !== 'max')
      throw new StatusError('InvalidArgument', `invalid mode "${mode}" of the cache: want min or max`);
    const how = { mode, ignoresErrors: /^(1|t|true)$/i.test(ignored) } as const;
    return type === 'local' ? { kind: 'folder', folder, ...how } : { kind: 'registry', reference: ref, ...how };
  });
}

/** A JSON list of `{"Type", "Attrs"}`, as clients hand it on. */
function optionsOf(text: string): readonly CacheOption[] {
  if (text === '') return [];
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list)) return list.map(optionOf);
  } catch (error) {
    throw new StatusError('InvalidArgument', `failed to unmarshal cache-imports ("${text}")`, { cause: error });
  }
  throw new StatusError('InvalidArgument', `failed to unmarshal cache-imports ("${text}")`);
}

function optionOf(value: unknown): CacheOption {
  const { Type: type, Attrs: attrs } = isObject(value) ? value : {};
  const entries = isObject(attrs) ? Object.entries(attrs) : [];
  return { type: String(type), attrs: new Map(entries.map(([name, text]) => [name, String(text)])) };
}

function refused(direction: 'from' | 'to', type: string, attribute: string | undefined): StatusError {
  const what = attribute === undefined ? `type=${type}` : `${attribute} of type=${type}`;
  return new StatusError(
    'NotSupported',
    `Cannot take a cache ${direction} ${what}: caches are in images (type=inline), registries (type=registry,ref=) and folders (type=local)`,
  );
}
