import type { LimitRange, LimitRangeItem } from '../../types/gen/core-v1.ts';
import { defineKind } from '../define-kind.ts';
import { roundToMillis } from './resource-defaults.ts';
import { compareQuantities, formatQuantity, parseQuantity } from '#formats/quantity.ts';
import { duplicate, forbidden, invalid, invalids, required } from '../../validation/faults.ts';
import { qualifiedNameFaults } from '../../validation/names.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { containerResourceFaults, quantityOf, resourceNameFaults } from '../../validation/resources.ts';

export const limitRange = defineKind<LimitRange>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  createsOnUpdate: true,
  shortNames: ['limits'],
  setDefaults,
  validate,
});

function setDefaults({ spec }: LimitRange): void {
  for (const limit of spec?.limits ?? []) {
    for (const resources of [limit.max, limit.min, limit.default, limit.defaultRequest, limit.maxLimitRequestRatio])
      roundToMillis(resources);
    if (limit.type !== 'Container') continue;
    limit.default = { ...limit.max, ...limit.default };
    limit.defaultRequest = { ...limit.min, ...limit.default, ...limit.defaultRequest };
  }
}

function* validate({ spec = {} }: LimitRange): Faults {
  const types = new Set<string>();
  for (const [index, limit] of (spec.limits ?? []).entries()) {
    const at = `spec.limits[${String(index)}]`;
    const { type = '' } = limit;
    yield* invalids(`${at}.type`, type, qualifiedNameFaults(type));
    if (qualifiedNameFaults(type).length === 0 && !type.includes('/') && !limitTypes.includes(type))
      yield invalid(`${at}.type`, type, 'must be a standard limit type or fully qualified');
    if (types.has(type)) yield duplicate(`${at}.type`, type);
    types.add(type);
    yield* limitFaults(limit, at);
  }
}

const limitTypes = ['Pod', 'Container', 'PersistentVolumeClaim'];
const parts = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;

function* limitFaults(limit: LimitRangeItem, path: string): Faults {
  const rule = limit.type === 'Pod' || limit.type === 'Container' ? containerResourceFaults : resourceNameFaults;
  for (const part of parts) {
    const isForbidden = limit.type === 'Pod' && part.startsWith('default') && Object.keys(limit[part] ?? {}).length > 0;
    if (isForbidden) yield forbidden(`${path}.${part}`, "may not be specified when `type` is 'Pod'");
    else for (const name of Object.keys(limit[part] ?? {})) yield* rule(name, `${path}.${part}[${name}]`);
  }
  if (
    limit.type === 'PersistentVolumeClaim' &&
    limit.min?.['storage'] === undefined &&
    limit.max?.['storage'] === undefined
  )
    yield required(`${path}.limits`, 'either minimum or maximum storage value is required, but neither was provided');
  const names = new Set(parts.flatMap((part) => Object.keys(limit[part] ?? {})));
  for (const name of names) yield* orderFaults(limit, name, path);
}

/** Pairs that must be in order: the part with its word, what is named when it is not, and with which value. */
const orders = [
  ['min', 'max', 'min', 'min', 'min value', 'max value'],
  ['min', 'defaultRequest', 'defaultRequest', 'defaultRequest', 'min value', 'default request value'],
  ['defaultRequest', 'max', 'defaultRequest', 'defaultRequest', 'default request value', 'max value'],
  ['defaultRequest', 'default', 'defaultRequest', 'defaultRequest', 'default request value', 'default limit value'],
  ['min', 'default', 'default', 'min', 'min value', 'default value'],
  ['default', 'max', 'default', 'max', 'default value', 'max value'],
] as const;

function* orderFaults(limit: LimitRangeItem, name: string, path: string): Faults {
  for (const [small, large, field, shown, smallWord, largeWord] of orders) {
    const [one, other] = [quantityOf(limit[small]?.[name]), quantityOf(limit[large]?.[name])];
    if (one !== undefined && other !== undefined && compareQuantities(one, other) > 0)
      yield invalid(
        `${path}.${field}[${name}]`,
        limit[shown]?.[name],
        `${smallWord} ${formatQuantity(one)} is greater than ${largeWord} ${formatQuantity(other)}`,
      );
  }
  const ratio = quantityOf(limit.maxLimitRequestRatio?.[name]);
  if (ratio !== undefined && compareQuantities(ratio, one) < 0)
    yield invalid(
      `${path}.maxLimitRequestRatio[${name}]`,
      formatQuantity(ratio),
      `ratio ${formatQuantity(ratio)} is less than 1`,
    );
}

const one = parseQuantity('1');
