import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';

import { allowedCode, allowedSizes } from './arch/allowlist.ts';
import { codeRules } from './arch/code-rules.ts';
import { importRules } from './arch/import-rules.ts';
import { parseModule } from './arch/module.ts';
import type { Rule } from './arch/rule.ts';
import { sizeRules } from './arch/size-rules.ts';

const repository = dirname(import.meta.dirname);
const rules: readonly Rule[] = [...importRules, ...codeRules, ...sizeRules];
const readmeLinesMost = 60;

describe('the law of the house', () => {
  const paths = globSync('{src,tests,scripts,bench}/**/*.ts', { cwd: repository }).toSorted();
  const modules = paths.map((path) => parseModule(path, readFileSync(join(repository, path), 'utf8')));

  for (const rule of rules) {
    test(rule.name, () => {
      const breaches = rule.check(modules).map(({ where, what }) => `\n  ${where}: ${what}`);
      if (breaches.length > 0) assert.fail(`${rule.reason}${breaches.join('')}`);
    });
  }

  test('each allowlist row is still needed', () => {
    const known = new Set([...paths, ...Object.keys(allowedSizes)]);
    const rows = [...Object.keys(allowedSizes), ...Object.values(allowedCode).flatMap((row) => Object.keys(row))];
    assert.deepEqual(
      rows.filter((path) => !known.has(path)),
      [],
    );
  });

  test('each room has a README of at most 60 lines', () => {
    for (const room of new Set(paths.map((path) => /^src\/[^/]+(?=\/)/.exec(path)?.[0]))) {
      if (room === undefined) continue;
      const path = join(repository, room, 'README.md');
      assert.ok(existsSync(path), `${room} has no README.md: what it is, its invariants, its doors`);
      const lines = readFileSync(path, 'utf8').trimEnd().split('\n').length;
      assert.ok(lines <= readmeLinesMost, `${room}/README.md has ${String(lines)} lines`);
    }
  });
});

describe('each rule bites', () => {
  for (const rule of rules) {
    test(rule.name, () => {
      const modules = Object.entries(rule.broken).map(([path, text]) => parseModule(path, text));
      assert.notEqual(rule.check(modules).length, 0);
    });
  }
});
