import { StatusError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type { CacheTarget } from '#engine/build/builder.ts';

type Attributes = ReadonlyMap<string, string>;

interface CacheOption {
  readonly type: string;
  readonly attrs: Attributes;
}

/** Attributes of caches in registries that change nothing here: a cache is one manifest of OCI either way. */
const withoutEffect: ReadonlySet<string> = new Set(['image-manifest', 'oci-mediatypes']);

/** `--cache-from`: the images and caches to look steps up in. Throws NotSupported for those that are not in registries. */
export function cacheSources(attributes: Attributes): readonly string[] {
  const listed = optionsOf(attributes.get('cache-imports') ?? '').map(({ type, attrs }) => {
    const { ref = '', ...others } = Object.fromEntries(attrs);
    const other = Object.keys(others).find((name) => !withoutEffect.has(name));
    if (type !== 'registry' || ref === '' || other !== undefined) throw refused('from', type, other);
    return ref;
  });
  const plain = (attributes.get('cache-from') ?? '').split(',').filter((name) => name !== '');
  return [...new Set([...listed, ...plain])];
}

/** `--cache-to`. Throws NotSupported for what can only be ignored. */
export function cacheTargets(options: readonly CacheOption[]): readonly CacheTarget[] {
  return options.map(({ type, attrs }) => {
    const { ref = '', mode = 'min', 'ignore-error': ignored = 'false', ...others } = Object.fromEntries(attrs);
    const other = Object.keys(others).find((name) => !withoutEffect.has(name));
    if (other !== undefined) throw refused('to', type, other);
    if (type === 'inline') return { kind: 'inline' };
    if (type !== 'registry' || ref === '') throw refused('to', type, undefined);
    if (mode !== 'min' && mode !== 'max')
      throw new StatusError('InvalidArgument', `invalid mode "${mode}" of the cache: want min or max`);
    return { kind: 'registry', reference: ref, mode, ignoresErrors: /^(1|t|true)$/i.test(ignored) };
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
    `Cannot take a cache ${direction} ${what}: caches are in images (type=inline) and registries (type=registry,ref=)`,
  );
}
