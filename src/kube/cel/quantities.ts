import type { Environment } from '@marcbachmann/cel-js';

import {
  addQuantities,
  compareQuantities,
  parseQuantity,
  subtractQuantities,
  type Quantity,
} from '#formats/quantity.ts';

const nano = 1_000_000_000n;

/** A quantity in an expression: a class, so that it is told from maps. */
class QuantityValue {
  readonly quantity: Quantity;

  constructor(quantity: Quantity) {
    this.quantity = quantity;
  }
}

/** Kubernetes' quantity functions: `quantity("1Gi").isGreaterThan(quantity("1M"))`. */
export function registerQuantity(environment: Environment): void {
  environment.registerType('Quantity', QuantityValue);
  environment.registerFunction('quantity(string): Quantity', (text: string) => new QuantityValue(parseQuantity(text)));
  environment.registerFunction('isQuantity(string): bool', (text: string) => {
    try {
      parseQuantity(text);
      return true;
    } catch {
      return false;
    }
  });
  const comparisons: Readonly<Record<string, (order: number) => boolean>> = {
    isGreaterThan: (order) => order > 0,
    isLessThan: (order) => order < 0,
  };
  for (const [name, test] of Object.entries(comparisons))
    environment.registerFunction(`Quantity.${name}(Quantity): bool`, (one: QuantityValue, other: QuantityValue) =>
      test(compareQuantities(one.quantity, other.quantity)),
    );
  environment.registerFunction('Quantity.compareTo(Quantity): int', (one: QuantityValue, other: QuantityValue) =>
    BigInt(compareQuantities(one.quantity, other.quantity)),
  );
  environment.registerOperator(
    'Quantity == Quantity',
    (one: QuantityValue, other: QuantityValue) => compareQuantities(one.quantity, other.quantity) === 0,
  );
  environment.registerFunction('Quantity.sign(): int', ({ quantity: { nanos } }: QuantityValue) =>
    BigInt(Number(nanos > 0n) - Number(nanos < 0n)),
  );
  environment.registerFunction(
    'Quantity.isInteger(): bool',
    ({ quantity: { nanos } }: QuantityValue) => nanos % nano === 0n,
  );
  environment.registerFunction('Quantity.asInteger(): int', ({ quantity: { nanos } }: QuantityValue) => nanos / nano);
  environment.registerFunction(
    'Quantity.asApproximateFloat(): double',
    ({ quantity: { nanos } }: QuantityValue) => Number(nanos) / Number(nano),
  );
  for (const [name, apply] of [
    ['add', addQuantities],
    ['sub', subtractQuantities],
  ] as const) {
    environment.registerFunction(
      `Quantity.${name}(Quantity): Quantity`,
      (one: QuantityValue, other: QuantityValue) => new QuantityValue(apply(one.quantity, other.quantity)),
    );
    environment.registerFunction(
      `Quantity.${name}(int): Quantity`,
      (one: QuantityValue, other: bigint) =>
        new QuantityValue(apply(one.quantity, { nanos: other * nano, format: 'DecimalSI' })),
    );
  }
}
