import { exactField, parseFieldSelector } from '#kube/selectors/field-selector.ts';

import type { Attributes } from '../auth/authorizer.ts';
import type { UserInfo } from '../auth/user.ts';
import type { RequestInfo } from './request-info.ts';

/** Verbs of which a selector says which objects are meant. */
const selecting = ['list', 'watch', 'deletecollection'];

/** What a request wants to do, as authorization sees it. A selector that fixes metadata.name makes it about one object. */
export function attributesOf(info: RequestInfo, query: URLSearchParams, user: UserInfo): Attributes {
  if (info.type === 'path') return { ...info, user };
  const { verb, group, version, namespace, resource, subresource } = info;
  const fields = selecting.includes(verb) ? fixedFields(query.get('fieldSelector') ?? '') : {};
  const name = info.name === '' ? (fields['metadata.name'] ?? '') : info.name;
  const common = { type: 'resource', user, verb, group, version, namespace, resource, name, subresource } as const;
  return Object.keys(fields).length === 0 ? common : { ...common, fields };
}

/** What is no selector fixes nothing, and is refused later with the right words. */
function fixedFields(text: string): Readonly<Record<string, string>> {
  try {
    const requirements = parseFieldSelector(text);
    return Object.fromEntries(
      requirements.flatMap(({ field }) => {
        const value = exactField(requirements, field);
        return value === undefined || field === '' ? [] : [[field, value]];
      }),
    );
  } catch {
    return {};
  }
}
