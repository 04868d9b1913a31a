import { isObject } from '#base/json.ts';
import { objectOf, textOf, textsOf } from '#kube/fields.ts';
import type { Resource } from '#kube/resource.ts';
import { badRequest, invalid, type StatusCause } from '#kube/status.ts';

import type { Attributes, Authorizer } from '../authorizer.ts';
import type { UserInfo } from '../user.ts';

const group = 'authorization.k8s.io';

/** Answers a SubjectAccessReview: may somebody do something? Throws ApiError Invalid. */
export function reviewSubject(review: Resource, authorizer: Authorizer): Resource {
  const spec = specOf(review);
  const user = subjectOf(spec);
  const causes = [...attributeCauses(spec)];
  if (user.name === '' && user.groups.length === 0)
    causes.push(
      cause('FieldValueInvalid', 'spec.user', 'Invalid value: "": at least one of user or group must be specified'),
    );
  refuse(review, causes);
  return answer(review, authorizer, user, spec);
}

/** Answers a LocalSubjectAccessReview, whose namespace is that of its path. Throws ApiError Invalid. */
export function reviewLocalSubject(review: Resource, namespace: string, authorizer: Authorizer): Resource {
  const spec = specOf(review);
  const asked = part(spec, 'resourceAttributes')?.['namespace'];
  if (asked !== namespace)
    refuse(review, [
      cause(
        'FieldValueInvalid',
        'spec.resourceAttributes.namespace',
        `Invalid value: ${JSON.stringify(asked ?? '')}: must match metadata.namespace`,
      ),
    ]);
  return reviewSubject(review, authorizer);
}

/** Answers a SelfSubjectAccessReview: may I? Throws ApiError Invalid. */
export function reviewSelf(review: Resource, user: UserInfo, authorizer: Authorizer): Resource {
  const spec = specOf(review);
  refuse(review, [...attributeCauses(spec)]);
  return answer(review, authorizer, user, spec);
}

function answer(review: Resource, authorizer: Authorizer, user: UserInfo, spec: Record<string, unknown>): Resource {
  const { verdict, reason } = authorizer.authorize(attributesOf(user, spec));
  const status = {
    allowed: verdict === 'allow',
    ...(verdict === 'deny' ? { denied: true } : {}),
    ...(reason === '' ? {} : { reason }),
  };
  return { ...review, status };
}

function attributesOf(user: UserInfo, spec: Record<string, unknown>): Attributes {
  const path = part(spec, 'nonResourceAttributes');
  if (path !== undefined) return { type: 'path', user, verb: textOf(path['verb']), path: textOf(path['path']) };
  const asked = part(spec, 'resourceAttributes') ?? {};
  const fields = fixedFields(asked['fieldSelector']);
  return {
    type: 'resource',
    user,
    verb: textOf(asked['verb']),
    group: textOf(asked['group']),
    version: textOf(asked['version']) || '*',
    resource: textOf(asked['resource']),
    subresource: textOf(asked['subresource']),
    namespace: textOf(asked['namespace']),
    name: textOf(asked['name']),
    ...(Object.keys(fields).length === 0 ? {} : { fields }),
  };
}

/** Requirements of the form `key In [one value]`. */
function fixedFields(selector: unknown): Record<string, string> {
  const requirements = isObject(selector) && Array.isArray(selector['requirements']) ? selector['requirements'] : [];
  return Object.fromEntries(
    requirements.filter(isObject).flatMap(({ key, operator, values }) => {
      const isFixed = operator === 'In' && Array.isArray(values) && values.length === 1;
      return isFixed ? [[String(key), String(values[0])]] : [];
    }),
  );
}

function* attributeCauses(spec: Record<string, unknown>): Generator<StatusCause> {
  const [resource, path] = [part(spec, 'resourceAttributes'), part(spec, 'nonResourceAttributes')];
  if (resource !== undefined && path !== undefined)
    yield cause(
      'FieldValueInvalid',
      'spec.nonResourceAttributes',
      'Invalid value: "": cannot be specified in combination with resourceAttributes',
    );
  if (resource === undefined && path === undefined)
    yield cause(
      'FieldValueInvalid',
      'spec.resourceAttributes',
      'Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
    );
}

function subjectOf(spec: Record<string, unknown>): UserInfo {
  const extra = objectOf(spec['extra']);
  return {
    name: textOf(spec['user']),
    uid: textOf(spec['uid']),
    groups: textsOf(spec['groups']),
    extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key.toLowerCase(), textsOf(values)])),
  };
}

function refuse(review: Resource, causes: readonly StatusCause[]): void {
  if (causes.length > 0) throw invalid({ group, kind: review.kind }, '', causes);
}

function cause(reason: string, field: string, message: string): StatusCause {
  return { reason, field, message };
}

function specOf(review: Resource): Record<string, unknown> {
  const spec = part(review, 'spec');
  if (spec === undefined) throw badRequest(`${review.kind} needs a spec`);
  return spec;
}

function part(object: Readonly<Record<string, unknown>>, field: string): Record<string, unknown> | undefined {
  const value = object[field];
  return isObject(value) ? value : undefined;
}
