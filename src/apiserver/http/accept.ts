import { ApiError } from '#kube/status.ts';

/** In which form an object or list is answered. */
export type ReplyForm = 'object' | 'table' | 'partial';

export interface Accepted {
  readonly form: ReplyForm;
  readonly encoding: 'json' | 'yaml';
  readonly pretty: boolean;
}

interface Range {
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly quality: number;
}

const rangesMost = 32;
/** Clients say the same few things over and over; each is at most as long as Node lets a header be. */
const rememberedMost = 64;
const remembered = new Map<string, Accepted>();

const forms: Readonly<Record<string, ReplyForm>> = {
  Table: 'table',
  PartialObjectMetadata: 'partial',
  PartialObjectMetadataList: 'partial',
};

/** Which types upstream names when it has none of what was asked for. */
const offered = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';

/**
 * What an Accept header wants of an object. Protobuf alone is refused, since objects are answered as JSON; clients that
 * ask for it name JSON beside it. Throws NotAcceptable.
 */
export function acceptedForm(header: string | undefined): Accepted {
  const text = header ?? '';
  const known = remembered.get(text);
  if (known !== undefined) return known;
  const form = formOf(text);
  if (remembered.size >= rememberedMost) remembered.clear();
  remembered.set(text, form);
  return form;
}

function formOf(header: string): Accepted {
  for (const { type, parameters } of rangesOf(header)) {
    const encoding = encodingOf(type);
    if (encoding === undefined) continue;
    const as = parameters['as'];
    if (as === undefined) return { form: 'object', encoding, pretty: parameters['pretty'] === '1' };
    const form = forms[as];
    const isMeta = parameters['g'] === 'meta.k8s.io' && ['v1', 'v1beta1'].includes(parameters['v'] ?? '');
    if (form !== undefined && isMeta) return { form, encoding, pretty: false };
  }
  throw new ApiError('NotAcceptable', `only the following media types are accepted: ${offered}`);
}

/** Media ranges of an Accept header, best first; one for everything when there is none. */
export function rangesOf(header: string | undefined): readonly Range[] {
  const text = header?.trim() ?? '';
  if (text === '') return [{ type: '*/*', parameters: {}, quality: 1 }];
  const ranges = text.split(',', rangesMost).map(parseRange);
  return ranges.filter((range) => range.quality > 0).toSorted((a, b) => b.quality - a.quality);
}

function parseRange(text: string): Range {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim());
  const pairs = rest.map((part) => {
    const at = part.indexOf('=');
    return at < 0 ? [part, ''] : [part.slice(0, at).trim(), part.slice(at + 1).trim()];
  });
  const parameters = Object.fromEntries(pairs) as Record<string, string>;
  const quality = parameters['q'] === undefined ? 1 : Number(parameters['q']);
  return { type: type.toLowerCase(), parameters, quality: Number.isFinite(quality) ? quality : 0 };
}

function encodingOf(type: string): 'json' | 'yaml' | undefined {
  if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'json';
  return type === 'application/yaml' ? 'yaml' : undefined;
}
