import type { KindDef } from '#kube/kind.ts';
import type { Resource } from '#kube/resource.ts';
import { ApiError } from '#kube/status.ts';

import { acceptedForm, type Accepted } from '../http/accept.ts';
import { jsonReply, type BodyReply, type Call } from '../http/call.ts';
import { apiVersionOf, type ServedResource } from '../resources/served-resource.ts';
import type { ObjectPage } from '../storage/list-objects.ts';
import type { StoredObject } from '../storage/stored-object.ts';
import { partialList, partialObject } from './partial-metadata.ts';
import { tableOf, type IncludeObject } from './table.ts';

/** One object in the form that was asked for. */
export function objectReply(
  call: Call,
  resource: { readonly def: Pick<KindDef, 'columns'> },
  object: Resource,
  nowMs: number,
  status = 200,
): BodyReply | Promise<BodyReply> {
  const accepted = acceptedForm(call.header('accept'));
  if (accepted.form === 'partial') return encoded(partialObject(object), accepted, status);
  if (accepted.form === 'object') return encoded(object, accepted, status);
  const version = object.metadata.resourceVersion ?? '';
  return encoded(
    tableOf(resource.def, [object], { resourceVersion: version }, included(call), nowMs),
    accepted,
    status,
  );
}

/** An object as its version shows it, without looking into it where that is what was asked for. */
export function storedReply(
  call: Call,
  resource: ServedResource,
  stored: StoredObject,
  nowMs: number,
): BodyReply | Promise<BodyReply> {
  const { form, encoding, pretty } = acceptedForm(call.header('accept'));
  if (form === 'object' && encoding === 'json' && !pretty)
    return { kind: 'body', status: 200, contentType: 'application/json', body: stored.json };
  return objectReply(call, resource, stored.object, nowMs);
}

export function listReply(
  call: Call,
  resource: ServedResource,
  page: ObjectPage,
  nowMs: number,
): BodyReply | Promise<BodyReply> {
  const accepted = acceptedForm(call.header('accept'));
  const metadata = {
    resourceVersion: String(page.revision),
    ...(page.continueToken === '' ? {} : { continue: page.continueToken }),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  };
  const objects = (): readonly Resource[] => page.objects.map(({ object }) => object);
  if (accepted.form === 'table')
    return encoded(tableOf(resource.def, objects(), metadata, included(call), nowMs), accepted, 200);
  if (accepted.form === 'partial') return encoded(partialList(objects(), metadata), accepted, 200);
  const head = { kind: `${resource.def.kind}List`, apiVersion: apiVersionOf(resource.def), metadata };
  if (accepted.encoding === 'json' && !accepted.pretty)
    return { kind: 'body', status: 200, contentType: 'application/json', body: joined(head, page.objects) };
  return encoded({ ...head, items: objects() }, accepted, 200);
}

export function included(call: Call): IncludeObject {
  const value = call.query.get('includeObject') ?? '';
  if (value === '') return 'Metadata';
  if (value === 'None' || value === 'Object' || value === 'Metadata') return value;
  throw new ApiError('BadRequest', `unrecognized includeObject value: ${JSON.stringify(value)}`);
}

async function encoded(value: unknown, { encoding, pretty }: Accepted, status: number): Promise<BodyReply> {
  if (encoding === 'json')
    return pretty
      ? { kind: 'body', status, contentType: 'application/json', body: `${JSON.stringify(value, null, 2)}\n` }
      : jsonReply(value, status);
  const { stringify } = await import('yaml');
  const body = stringify(value, { version: '1.1', aliasDuplicateObjects: false });
  return { kind: 'body', status, contentType: 'application/yaml', body };
}

/** The list's JSON around the bytes of its objects. */
function joined(head: object, objects: readonly StoredObject[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`)];
  for (const [index, object] of objects.entries()) {
    if (index > 0) parts.push(comma);
    parts.push(object.json);
  }
  parts.push(listEnd);
  return Buffer.concat(parts);
}

const comma = Buffer.from(',');
const listEnd = Buffer.from(']}');
