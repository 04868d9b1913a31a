import type { Environment } from '@marcbachmann/cel-js';

import { parseAddress } from '#formats/ip-address.ts';
import { containsAddress, parsePrefix } from '#formats/ip-prefix.ts';
import {
  addQuantities,
  compareQuantities,
  parseQuantity,
  quantityMillis,
  subtractQuantities,
  type Quantity,
} from '#formats/quantity.ts';

/** A quantity as a value of CEL. */
class CelQuantity {
  readonly quantity: Quantity;

  constructor(quantity: Quantity) {
    this.quantity = quantity;
  }
}

/** A URL as a value of CEL. */
class CelUrl {
  readonly url: URL;

  constructor(url: URL) {
    this.url = url;
  }
}

const nano = 1_000_000_000n;

/** The functions that Kubernetes adds to CEL: quantities, addresses, URLs, lists, searches in texts. */
export function registerKubernetesFunctions(environment: Environment): void {
  registerQuantities(environment);
  registerAddresses(environment);
  registerUrls(environment);
  registerLists(environment);
  registerTexts(environment);
}

function registerQuantities(environment: Environment): void {
  const of = (text: string): CelQuantity => new CelQuantity(parseQuantity(text));
  environment.registerType('kubernetes.Quantity', { ctor: CelQuantity, fields: {} });
  const add = (signature: string, handler: (...args: never[]) => unknown): void => {
    environment.registerFunction(signature, handler as (...args: unknown[]) => unknown);
  };
  add('quantity(string): kubernetes.Quantity', of);
  add('isQuantity(string): bool', (text: string) => succeeds(() => of(text)));
  const compare = (one: CelQuantity, other: CelQuantity): number => compareQuantities(one.quantity, other.quantity);
  add('kubernetes.Quantity.compareTo(kubernetes.Quantity): int', (one: CelQuantity, other: CelQuantity) =>
    BigInt(compare(one, other)),
  );
  add(
    'kubernetes.Quantity.isGreaterThan(kubernetes.Quantity): bool',
    (one: CelQuantity, other: CelQuantity) => compare(one, other) > 0,
  );
  add(
    'kubernetes.Quantity.isLessThan(kubernetes.Quantity): bool',
    (one: CelQuantity, other: CelQuantity) => compare(one, other) < 0,
  );
  add(
    'kubernetes.Quantity.add(kubernetes.Quantity): kubernetes.Quantity',
    (one: CelQuantity, other: CelQuantity) => new CelQuantity(addQuantities(one.quantity, other.quantity)),
  );
  add(
    'kubernetes.Quantity.sub(kubernetes.Quantity): kubernetes.Quantity',
    (one: CelQuantity, other: CelQuantity) => new CelQuantity(subtractQuantities(one.quantity, other.quantity)),
  );
  add('kubernetes.Quantity.sign(): int', ({ quantity: { nanos } }: CelQuantity) =>
    nanos > 0n ? 1n : nanos < 0n ? -1n : 0n,
  );
  add('kubernetes.Quantity.isInteger(): bool', ({ quantity }: CelQuantity) => quantity.nanos % nano === 0n);
  add('kubernetes.Quantity.asInteger(): int', ({ quantity }: CelQuantity) => {
    if (quantity.nanos % nano !== 0n) throw new Error('cannot convert value to integer');
    return quantity.nanos / nano;
  });
  add(
    'kubernetes.Quantity.asApproximateFloat(): double',
    ({ quantity }: CelQuantity) => Number(quantityMillis(quantity)) / 1000,
  );
}

function registerAddresses(environment: Environment): void {
  environment.registerFunction('isIP(string): bool', (text: string) => parseAddress(text) !== undefined);
  environment.registerFunction('isCIDR(string): bool', (text: string) => parsePrefix(text) !== undefined);
  environment.registerFunction('cidrContainsIP(string, string): bool', (prefix: string, address: string) => {
    const [outer, inner] = [parsePrefix(prefix), parseAddress(address)];
    if (outer === undefined || inner === undefined)
      throw new Error(`"${prefix}" or "${address}" is no prefix or address`);
    return containsAddress(outer, inner);
  });
}

function registerUrls(environment: Environment): void {
  environment.registerType('kubernetes.URL', { ctor: CelUrl, fields: {} });
  environment.registerFunction('url(string): kubernetes.URL', (text: string) => new CelUrl(new URL(text)));
  environment.registerFunction('isURL(string): bool', (text: string) => URL.canParse(text));
  environment.registerFunction('kubernetes.URL.getScheme(): string', ({ url }: CelUrl) => url.protocol.slice(0, -1));
  environment.registerFunction('kubernetes.URL.getHost(): string', ({ url }: CelUrl) => url.host);
  environment.registerFunction('kubernetes.URL.getHostname(): string', ({ url }: CelUrl) =>
    url.hostname.replace(/^\[|\]$/g, ''),
  );
  environment.registerFunction('kubernetes.URL.getPort(): string', ({ url }: CelUrl) => url.port);
  environment.registerFunction('kubernetes.URL.getEscapedPath(): string', ({ url }: CelUrl) => url.pathname);
}

function registerLists(environment: Environment): void {
  environment.registerFunction('list.isSorted(): bool', (list: readonly (string | bigint)[]) =>
    list.every((item, index) => index === 0 || (list[index - 1] ?? item) <= item),
  );
  environment.registerFunction('list.sum(): dyn', (list: readonly (bigint | number)[]) =>
    list.reduce((sum, item) => (sum as number) + (item as number), typeof list[0] === 'number' ? 0 : 0n),
  );
  const extreme = (list: readonly unknown[], isBetter: (one: never, other: never) => boolean): unknown => {
    if (list.length === 0) throw new Error('min or max called on empty list');
    return list.reduce((best, item) => (isBetter(item as never, best as never) ? item : best));
  };
  environment.registerFunction('list.min(): dyn', (list: readonly unknown[]) =>
    extreme(list, (one, other) => one < other),
  );
  environment.registerFunction('list.max(): dyn', (list: readonly unknown[]) =>
    extreme(list, (one, other) => one > other),
  );
  environment.registerFunction('list.indexOf(dyn): int', (list: readonly unknown[], item: unknown) =>
    BigInt(list.indexOf(item)),
  );
  environment.registerFunction('list.lastIndexOf(dyn): int', (list: readonly unknown[], item: unknown) =>
    BigInt(list.lastIndexOf(item)),
  );
}

function registerTexts(environment: Environment): void {
  environment.registerFunction(
    'string.find(string): string',
    (text: string, pattern: string) => new RegExp(pattern, 'u').exec(text)?.[0] ?? '',
  );
  environment.registerFunction(
    'string.findAll(string): list<string>',
    (text: string, pattern: string) => text.match(new RegExp(pattern, 'gu')) ?? [],
  );
  environment.registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) =>
    text.replaceAll(from, () => to),
  );
  environment.registerFunction(
    'string.charAt(int): string',
    (text: string, at: bigint) => Array.from(text)[Number(at)] ?? '',
  );
}

function succeeds(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
