import { isObject } from '#base/json.ts';

import type { Resource } from '../resource.ts';
import { faultText } from '../validation/faults.ts';
import { annotationFaults, labelMapFaults } from '../validation/object-meta.ts';

/** Objects of one kind that are to become those of another version (apiextensions.k8s.io, ConversionRequest). */
export interface ConversionRequest {
  readonly uid: string;
  readonly desiredAPIVersion: string;
  readonly objects: readonly Resource[];
}

type ReviewVersion = 'v1' | 'v1beta1';

/** Versions of the review that this side speaks; the definition's order decides. */
export const reviewVersions: readonly ReviewVersion[] = ['v1', 'v1beta1'];

/** What is sent to a webhook. Throws Error when it speaks none of the versions. */
export function conversionReview(
  spoken: readonly string[],
  request: ConversionRequest,
): { readonly version: ReviewVersion; readonly review: object } {
  const version = spoken.flatMap((one) => reviewVersions.find((known) => known === one) ?? [])[0];
  if (version === undefined) throw new Error('no supported conversion review versions');
  return { version, review: { kind: 'ConversionReview', apiVersion: `apiextensions.k8s.io/${version}`, request } };
}

/**
 * Objects of a webhook's answer in the order of the request, with the metadata that it may not change as it was. Throws
 * Error in the words of upstream (conversion/webhook_converter.go).
 */
export function convertedObjects(
  answer: unknown,
  version: ReviewVersion,
  request: ConversionRequest,
): readonly Resource[] {
  const kind = kindText(request.objects[0]);
  let found: readonly unknown[];
  try {
    found = objectsOf(answer, version, request.uid);
  } catch (error) {
    throw new Error(`conversion webhook for ${kind} failed: ${error instanceof Error ? error.message : ''}`, {
      cause: error,
    });
  }
  const { objects, desiredAPIVersion } = request;
  if (found.length !== objects.length)
    throw new Error(
      `conversion webhook for ${kind} returned ${String(found.length)} objects, expected ${String(objects.length)}`,
    );
  return objects.map((original, index) => convertedObject(original, found[index], index, desiredAPIVersion));
}

/** `example.com/v1, Kind=CronTab`. */
export function kindText(object: Resource | undefined): string {
  return `${object?.apiVersion ?? ''}, Kind=${object?.kind ?? ''}`;
}

function objectsOf(answer: unknown, version: ReviewVersion, uid: string): readonly unknown[] {
  const review = isObject(answer) ? answer : {};
  const { kind = '', apiVersion = '', response } = review;
  const expected = `apiextensions.k8s.io/${version}`;
  // The beta never checked what came back, and its webhooks rely on that.
  const isStrict = version === 'v1';
  if (isStrict && (kind !== 'ConversionReview' || apiVersion !== expected))
    throw new Error(
      `expected webhook response of ${expected}, Kind=ConversionReview, got ${String(apiVersion)}, Kind=${String(kind)}`,
    );
  if (!isObject(response)) throw new Error('no response provided');
  const { uid: given = '' } = response;
  if (isStrict && given !== uid)
    throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(given)}`);
  const result = isObject(response['result']) ? response['result'] : {};
  const { status = '', message = '' } = result;
  if (status !== 'Success')
    throw new Error(message === '' ? `response.result.status was '${String(status)}', not 'Success'` : String(message));
  return Array.isArray(response['convertedObjects']) ? response['convertedObjects'] : [];
}

function convertedObject(original: Resource, value: unknown, index: number, desired: string): Resource {
  const webhook = `conversion webhook for ${kindText(original)} returned`;
  const invalid = `${webhook} invalid converted object at index ${String(index)}`;
  if (!isObject(value) || typeof value['kind'] !== 'string')
    throw new Error(`${invalid}: Object 'Kind' is missing in '${JSON.stringify(value)}'`);
  const { apiVersion = '', kind } = value;
  if (apiVersion !== desired)
    throw new Error(`${invalid}: invalid groupVersion (expected ${desired}, received ${String(apiVersion)})`);
  if (kind !== original.kind) throw new Error(`${invalid}: invalid kind (expected ${original.kind}, received ${kind})`);
  const metadata = isObject(value['metadata']) ? value['metadata'] : {};
  for (const field of ['name', 'namespace', 'uid'] as const) {
    const [was = '', is = ''] = [original.metadata[field], metadata[field]];
    const shown = field === 'uid' ? 'UID' : field;
    if (was !== is) throw new Error(`${invalid}: must have the same ${shown}: ${was} != ${String(is)}`);
  }
  try {
    return { ...value, apiVersion: desired, kind, metadata: restoredMetadata(original, value['metadata']) };
  } catch (error) {
    const why = error instanceof Error ? error.message : '';
    throw new Error(`${webhook} invalid metadata in object at index ${String(index)}: ${why}`, { cause: error });
  }
}

/** Of metadata a webhook may change labels and annotations alone. */
function restoredMetadata(original: Resource, given: unknown): Resource['metadata'] {
  if (given === undefined) throw new Error('missing metadata in converted object');
  if (!isObject(given)) throw new Error(`invalid metadata of type ${goType(given)} in converted object`);
  const { labels: _, annotations: __, ...kept } = original.metadata;
  const labels = textMap(given['labels'], 'labels');
  const annotations = textMap(given['annotations'], 'annotations');
  const faults = [
    ...labelMapFaults(labels, 'metadata.labels'),
    ...annotationFaults(annotations, 'metadata.annotation'),
  ];
  if (faults.length > 0) {
    const texts = faults.map((fault) => `${fault.path}: ${faultText(fault)}`);
    throw new Error(texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`);
  }
  return {
    ...kept,
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

function textMap(value: unknown, field: string): Readonly<Record<string, string>> | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw new Error(`invalid metadata.${field} of type ${goType(value)} in converted object`);
  for (const [key, text] of Object.entries(value))
    if (typeof text !== 'string')
      throw new Error(`metadata.${field}[${key}] must be a string, but is ${goType(text)} in converted object`);
  return value as Readonly<Record<string, string>>;
}

/** Type of a JSON value as Go prints it. */
function goType(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  const names: Readonly<Record<string, string>> = {
    string: 'string',
    boolean: 'bool',
    object: 'map[string]interface {}',
  };
  return value === null ? '<nil>' : (names[typeof value] ?? typeof value);
}
