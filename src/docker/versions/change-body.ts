import { isObject } from '#base/json.ts';

import type { Body } from './rule.ts';

/** Leaves fields away. */
export function without(...names: readonly string[]): (body: Body) => Body {
  return (body) => Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)));
}

/** Leaves fields away whose value says nothing: null, '' or an empty list or object. */
export function withoutEmpty(...names: readonly string[]): (body: Body) => Body {
  return (body) =>
    Object.fromEntries(Object.entries(body).filter(([name, value]) => !names.includes(name) || !isEmpty(value)));
}

/** Changes an object inside. */
export function within(name: string, change: (body: Body) => Body): (body: Body) => Body {
  return (body) => ({ ...body, [name]: change(objectAt(body, name)) });
}

export function objectAt(body: Body, name: string): Body {
  const value = body[name];
  return isObject(value) ? value : {};
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
