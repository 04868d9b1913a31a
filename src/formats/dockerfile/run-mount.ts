import { invalid } from './invalid.ts';
import { suggest } from './suggest.ts';

type RunMountType = 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';

/** A mount of RUN (Dockerfile reference, "RUN --mount"). */
export interface RunMount {
  readonly type: RunMountType;
  /** A stage, an image; '' = the build context (bind) or nothing (cache). */
  readonly from: string;
  readonly source: string;
  /** '' only for secret and ssh. */
  readonly target: string;
  readonly readOnly: boolean;
  /** Of a cache, secret or ssh agent; a cache's defaults to its target. */
  readonly id: string;
  readonly sharing: 'shared' | 'private' | 'locked';
  /** Environment variable that holds the secret. */
  readonly env: string;
  readonly required: boolean;
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** Bytes of a tmpfs; 0 = not limited. */
  readonly sizeBytes: number;
}

type Draft = { -readonly [K in keyof RunMount]: RunMount[K] } & { explicitAccess: boolean; explicitSharing: boolean };

const types: readonly RunMountType[] = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'];
const sharings = ['shared', 'private', 'locked'] as const;
const byteUnits: Readonly<Record<string, number>> = { '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** One row per key; the value is undefined when the key stands alone. */
const keys: Readonly<Record<string, (draft: Draft, value: string | undefined, key: string) => void>> = {
  type: (draft, value) => {
    const type = types.find((name) => name === value?.toLowerCase());
    if (type === undefined)
      throw invalid(`unsupported mount type ${JSON.stringify(value)}${suggest(value ?? '', types)}`);
    draft.type = type;
  },
  from: (draft, value, key) => void (draft.from = text(key, value)),
  source: (draft, value, key) => void (draft.source = text(key, value)),
  target: (draft, value, key) => void (draft.target = text(key, value)),
  readonly: (draft, value, key) => access(draft, flag(key, value)),
  readwrite: (draft, value, key) => access(draft, !flag(key, value)),
  required: (draft, value, key) => {
    only(draft, key, 'secret', 'ssh');
    draft.required = flag(key, value);
  },
  size: (draft, value, key) => {
    only(draft, key, 'tmpfs');
    draft.sizeBytes = bytes(key, text(key, value));
  },
  id: (draft, value, key) => void (draft.id = text(key, value)),
  env: (draft, value, key) => {
    only(draft, key, 'secret');
    draft.env = text(key, value);
  },
  sharing: (draft, value) => {
    const sharing = sharings.find((name) => name === value?.toLowerCase());
    if (sharing === undefined)
      throw invalid(`unsupported sharing value ${JSON.stringify(value)}${suggest(value ?? '', sharings)}`);
    draft.sharing = sharing;
    draft.explicitSharing = true;
  },
  mode: (draft, value, key) => void (draft.mode = number(key, value, /^[0-7]{1,5}$/, 8)),
  uid: (draft, value, key) => void (draft.uid = number(key, value, /^[0-9]{1,10}$/, 10)),
  gid: (draft, value, key) => void (draft.gid = number(key, value, /^[0-9]{1,10}$/, 10)),
};

const aliases: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
  rw: 'readwrite',
};

/** Parses the value of `--mount`; `expand` is applied to every value. Throws InvalidArgument in BuildKit's words. */
export function parseRunMount(value: string, expand: (text: string) => string = (text) => text): RunMount {
  const draft: Draft = {
    type: 'bind', from: '', source: '', target: '', readOnly: true, id: '', sharing: 'shared', env: '',
    required: false, mode: undefined, uid: undefined, gid: undefined, sizeBytes: 0, explicitAccess: false,
    explicitSharing: false,
  }; // prettier-ignore
  for (const field of splitFields(value)) {
    const equals = field.indexOf('=');
    const written = (equals === -1 ? field : field.slice(0, equals)).toLowerCase();
    const key = aliases[written] ?? written;
    const set = Object.hasOwn(keys, key) ? keys[key] : undefined;
    if (set === undefined)
      throw invalid(
        `unexpected key '${written}' in '${field}'${suggest(written, [...Object.keys(keys), ...Object.keys(aliases)])}`,
      );
    const raw = equals === -1 ? undefined : field.slice(equals + 1);
    set(draft, raw === undefined ? undefined : expand(raw), written);
  }
  return finished(draft);
}

/** What a mount's `from` names, before anything is expanded; '' when it names nothing. */
export function runMountFrom(value: string): string {
  return splitFields(value)
    .map((field) => /^from=(.*)$/is.exec(field)?.[1])
    .reduce<string>((last, from) => from ?? last, '');
}

function finished(draft: Draft): RunMount {
  const { explicitAccess, explicitSharing, ...mount } = draft;
  const { type } = mount;
  if (type === 'bind' || type === 'tmpfs')
    for (const key of ['mode', 'uid', 'gid'] as const)
      if (mount[key] !== undefined) throw invalid(`${key} not allowed for "${type}" type mounts`);
  if (explicitSharing && type !== 'cache') throw invalid(`invalid cache sharing set for ${type} mount`);
  if (type === 'secret' && mount.from !== '') throw invalid('secret mount should not have a from');
  if (type === 'secret' && mount.source === '' && mount.target === '' && mount.id === '')
    throw invalid('invalid secret mount. one of source, target required');
  if (type === 'secret' && mount.source !== '' && mount.id !== '') throw invalid("both source and id can't be set");
  if ((type === 'bind' || type === 'cache' || type === 'tmpfs') && mount.target === '')
    throw invalid(`invalid mount target "": a ${type} mount needs a target`);
  const readOnly = explicitAccess ? mount.readOnly : type !== 'cache' && type !== 'tmpfs';
  return { ...mount, readOnly, id: mount.id === '' && type === 'cache' ? mount.target : mount.id };
}

/** One record of comma-separated values, RFC 4180 quotes. */
function splitFields(value: string): string[] {
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (let at = 0; at < value.length; at += 1) {
    const character = value.charAt(at);
    if (character === '"' && quoted && value.charAt(at + 1) === '"') {
      field += '"';
      at += 1;
    } else if (character === '"') quoted = !quoted;
    else if (character === ',' && !quoted) {
      fields.push(field);
      field = '';
    } else field += character;
  }
  if (quoted) throw invalid('failed to parse csv mounts: extraneous or missing " in quoted-field');
  return [...fields, field].filter((text) => text !== '');
}

function text(key: string, value: string | undefined): string {
  if (value === undefined) throw invalid(`invalid field '${key}' must be a key=value pair`);
  return value;
}

function flag(key: string, value: string | undefined): boolean {
  if (value === undefined || /^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw invalid(`invalid value for ${key}: ${value}`);
}

function access(draft: Draft, readOnly: boolean): void {
  draft.readOnly = readOnly;
  draft.explicitAccess = true;
}

function only(draft: Draft, key: string, ...allowed: readonly RunMountType[]): void {
  if (!allowed.includes(draft.type)) throw invalid(`unexpected key '${key}' for mount type '${draft.type}'`);
}

function number(key: string, value: string | undefined, pattern: RegExp, radix: number): number {
  if (value === undefined || !pattern.test(value)) throw invalid(`invalid value ${value ?? ''} for ${key}`);
  const parsed = Number.parseInt(value, radix);
  if (parsed > 0xffff_fffe) throw invalid(`invalid value ${value} for ${key}`);
  return parsed;
}

/** Docker's units.RAMInBytes: powers of 1,024. */
function bytes(key: string, value: string): number {
  const match = /^([0-9]{1,15}(?:\.[0-9]{1,9})?) ?([kmgt]?)i?b?$/i.exec(value);
  if (match === null) throw invalid(`invalid value for ${key}: ${value}`);
  const size = Math.floor(Number(match[1]) * (byteUnits[match[2]?.toLowerCase() ?? ''] ?? 1));
  if (!Number.isSafeInteger(size)) throw invalid(`invalid value for ${key}: ${value}`);
  return size;
}
