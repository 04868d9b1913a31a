import type { Environment } from '@marcbachmann/cel-js';

import { isDeepStrictEqual } from 'node:util';

import { StatusError } from '#base/errors.ts';

type List = readonly unknown[];

/** Kubernetes' list functions. */
export function registerLists(environment: Environment): void {
  environment.registerFunction('list.isSorted(): bool', (list: List) =>
    list.every((item, index) => index === 0 || compare(list[index - 1], item) <= 0),
  );
  environment.registerFunction('list.sum(): dyn', (list: List) => {
    if (list.length === 0) return 0n;
    return list.reduce(
      (sum, item) => (typeof item === 'bigint' ? (sum as bigint) + item : Number(sum) + Number(item)),
      typeof list[0] === 'bigint' ? 0n : 0,
    );
  });
  environment.registerFunction('list.min(): dyn', (list: List) => extreme(list, 'min', -1));
  environment.registerFunction('list.max(): dyn', (list: List) => extreme(list, 'max', 1));
  environment.registerFunction('list.indexOf(dyn): int', (list: List, item: unknown) =>
    BigInt(list.findIndex((one) => isDeepStrictEqual(one, item))),
  );
  environment.registerFunction('list.lastIndexOf(dyn): int', (list: List, item: unknown) =>
    BigInt(list.findLastIndex((one) => isDeepStrictEqual(one, item))),
  );
}

class Sets {
  readonly namespace = 'sets';
}

export function registerSets(environment: Environment): void {
  environment.registerType('Sets', Sets);
  environment.registerConstant('sets', 'Sets', new Sets());
  environment.registerFunction('Sets.contains(list, list): bool', (_: Sets, list: List, parts: List) =>
    containsAll(list, parts),
  );
  environment.registerFunction(
    'Sets.equivalent(list, list): bool',
    (_: Sets, one: List, other: List) => containsAll(one, other) && containsAll(other, one),
  );
  environment.registerFunction('Sets.intersects(list, list): bool', (_: Sets, one: List, other: List) =>
    one.some((item) => containsAll(other, [item])),
  );
}

function containsAll(list: List, parts: List): boolean {
  return parts.every((part) => list.some((item) => isDeepStrictEqual(item, part)));
}

function extreme(list: List, name: string, sign: number): unknown {
  if (list.length === 0) throw new StatusError('InvalidArgument', `${name} called on empty list`);
  return list.reduce((best, item) => (compare(item, best) * sign > 0 ? item : best));
}

function compare(one: unknown, other: unknown): number {
  const [first, second] = [one, other] as [number, number];
  return first < second ? -1 : Number(first > second);
}
