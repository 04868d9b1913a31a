import type { Environment } from '@marcbachmann/cel-js';

class Arithmetic {
  readonly namespace = 'math';
}

type Numbers = readonly (bigint | number)[];

/** The extension `math`: of several numbers the greatest and the least, rounding, signs. */
export function registerMath(environment: Environment): void {
  environment.registerType('Arithmetic', Arithmetic);
  environment.registerConstant('math', 'Arithmetic', new Arithmetic());
  const greatest = (numbers: Numbers) => numbers.reduce((best, number) => (number > best ? number : best));
  const least = (numbers: Numbers) => numbers.reduce((best, number) => (number < best ? number : best));
  for (const [name, choose] of [
    ['greatest', greatest],
    ['least', least],
  ] as const) {
    environment.registerFunction(`Arithmetic.${name}(list): dyn`, (_: Arithmetic, numbers: Numbers) => choose(numbers));
    for (let count = 2; count <= mostArguments; count += 1) {
      const types = Array.from({ length: count }, () => 'dyn').join(', ');
      environment.registerFunction(`Arithmetic.${name}(${types}): dyn`, (_: Arithmetic, ...numbers: Numbers) =>
        choose(numbers),
      );
    }
  }
  const plain = { ceil: Math.ceil, floor: Math.floor, round: Math.round, trunc: Math.trunc } as const;
  for (const [name, apply] of Object.entries(plain))
    environment.registerFunction(`Arithmetic.${name}(double): double`, (_: Arithmetic, number: number) =>
      apply(number),
    );
  environment.registerFunction('Arithmetic.abs(int): int', (_: Arithmetic, number: bigint) =>
    number < 0n ? -number : number,
  );
  environment.registerFunction('Arithmetic.abs(double): double', (_: Arithmetic, number: number) => Math.abs(number));
  environment.registerFunction('Arithmetic.sign(int): int', (_: Arithmetic, number: bigint) =>
    BigInt(Number(number > 0n) - Number(number < 0n)),
  );
  environment.registerFunction('Arithmetic.sign(double): double', (_: Arithmetic, number: number) => Math.sign(number));
}

const mostArguments = 5;
