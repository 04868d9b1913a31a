import { allowedSizes } from './allowlist.ts';
import type { FunctionShape, Module } from './module.ts';
import { dottedName } from './module.ts';
import { perModule, type Rule } from './rule.ts';

const fileLinesMost = 400;
const fileLinesMedian = 110;
const functionLinesMost = 80;
const functionLinesNinetieth = 40;
/** Lines of tests per line of source. The aim is 1; the number only rises. */
const testsPerSource = 0.6;

/** What a script writes from a specification has the size of that specification, and nobody reads it. */
const isGenerated = (path: string): boolean => path.includes('/gen/');

const lines = (count: number): string => 'a();\n'.repeat(count);

const fileSize: Rule = perModule(
  {
    name: `no file over ${String(fileLinesMost)} lines`,
    reason: 'A file is a room with one door; what does not fit is two rooms.',
    broken: { 'src/base/a.ts': lines(fileLinesMost + 1) },
  },
  function* (module) {
    const most = allowedSizes[module.path]?.lines ?? fileLinesMost;
    if (module.lineCount > most && !isGenerated(module.path))
      yield { line: 1, what: `${String(module.lineCount)} lines` };
  },
);

const medianFileSize: Rule = {
  name: `half of the source files have at most ${String(fileLinesMedian)} lines`,
  reason: 'Small files keep their names honest and reviews short.',
  broken: { 'src/base/a.ts': lines(fileLinesMedian + 1) },
  check: (modules) => {
    const median = quantile(
      sourceOf(modules).map((module) => module.lineCount),
      0.5,
    );
    return median > fileLinesMedian ? [{ where: 'src', what: `the median is ${String(median)} lines` }] : [];
  },
};

const functionSize: Rule = perModule(
  {
    name: `no function over ${String(functionLinesMost)} lines`,
    reason: 'A function is read without scrolling; its parts have names.',
    broken: { 'src/base/a.ts': `export function a(): void {\n${lines(functionLinesMost)}}\n` },
  },
  function* (module) {
    for (const shape of module.functions) {
      if (shape.lineCount > functionLinesMost && !isSuite(shape))
        yield { line: shape.line, what: `${String(shape.lineCount)} lines` };
    }
  },
);

const functionSizeNinetieth: Rule = {
  name: `nine of ten functions have at most ${String(functionLinesNinetieth)} lines`,
  reason: 'Long functions stay the exception.',
  broken: { 'src/base/a.ts': `export function a(): void {\n${lines(functionLinesNinetieth)}}\n` },
  check: (modules) => {
    const counts = sourceOf(modules).flatMap((module) => module.functions.map((shape) => shape.lineCount));
    const value = quantile(counts, 0.9);
    return value > functionLinesNinetieth
      ? [{ where: 'src', what: `the 90th percentile is ${String(value)} lines` }]
      : [];
  },
};

const testVolume: Rule = {
  name: `at least ${String(testsPerSource)} line of tests per line of source`,
  reason: 'What is not tested does not work on the machine of the user.',
  broken: { 'src/base/a.ts': lines(10), 'src/base/a.test.ts': lines(2) },
  check: (modules) => {
    const count = (tests: boolean): number =>
      modules
        .filter((module) => /^(src|tests)\//.test(module.path) && module.isTest === tests && !isGenerated(module.path))
        .reduce((sum, module) => sum + module.lineCount, 0);
    const [tests, source] = [count(true), count(false)];
    if (tests >= source * testsPerSource) return [];
    return [{ where: 'tests', what: `${String(tests)} lines of tests for ${String(source)} lines of source` }];
  },
};

export const sizeRules: readonly Rule[] = [fileSize, medianFileSize, functionSize, functionSizeNinetieth, testVolume];

/** `describe(...)` groups tests and is as long as they are together. */
function isSuite(shape: FunctionShape): boolean {
  return ['describe', 'suite'].includes(dottedName(shape.parent?.['callee']));
}

function sourceOf(modules: readonly Module[]): readonly Module[] {
  return modules.filter((module) => !module.isTest && !isGenerated(module.path));
}

/** The smallest value that at least `share` of the values do not exceed; 0 for none. */
function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)] ?? 0;
}
