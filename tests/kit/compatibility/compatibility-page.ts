import { globSync, readFileSync } from 'node:fs';

import { parseModule } from '../../arch/module.ts';
import { repository } from '../tools.ts';
import { findProofs } from './find-proofs.ts';
import { matrixOf, type Row } from './matrix.ts';
import { readSurface } from './surface.ts';

const testFiles = ['src/**/*.test.ts', 'tests/e2e/**/*.test.ts'];

/**
 * docs/docker-compatibility.md. Throws with all that makes it untrue: endpoints and flags that no test shows, tests that
 * prove what is not there, rows that two tests contradict each other on, endpoints of ours (`METHOD /path`) without a row.
 */
export function compatibilityPage(ownEndpoints: readonly string[]): readonly string[] {
  const files = globSync(testFiles, { cwd: repository }).toSorted();
  const proofs = files.flatMap((path) => findProofs(parseModule(path, readFileSync(`${repository}/${path}`, 'utf8'))));
  const surface = readSurface();
  const { rows, problems } = matrixOf(surface, proofs);
  const known = new Set(surface.map(({ name }) => name));
  const missing = ownEndpoints.filter((endpoint) => !known.has(endpoint));
  const all = [
    ...problems,
    ...missing.map(
      (endpoint) => `${endpoint} has no row: name it in tests/kit/compatibility/surface.ts, and prove it by a test`,
    ),
  ];
  if (all.length > 0) throw new Error(`The compatibility matrix is not true:\n${all.join('\n')}`);
  return pageLines(rows);
}

function pageLines(rows: readonly Row[]): readonly string[] {
  const groups = Map.groupBy(rows, ({ subject }) => subject.group);
  const endpoints = rows.filter(({ subject }) => subject.group.startsWith('/'));
  return [
    'Every endpoint of the Docker Engine API, every command and flag of the docker client, what its plugin buildx asks of a',
    'daemon, and the test that shows what becomes of it. The rows are made from the tests: a row says "works" only while a test of that endpoint or flag is there.',
    'Refused means that nothing is done and the answer is the sentence in quotes; not applicable means that Docker on Linux',
    'without a swarm has nothing to do there either.',
    '',
    ...summary(endpoints, 'endpoints'),
    ...summary(
      rows.filter((row) => !endpoints.includes(row)),
      'commands and flags',
    ),
    ...[...groups].flatMap(([group, own]) => ['', `## ${group}`, ...table(own)]),
  ];
}

function summary(rows: readonly Row[], what: string): readonly string[] {
  const counts = Map.groupBy(rows, ({ proof }) => proof.state);
  const words = [...counts].map(([state, own]) => `${String(own.length)} ${state}`);
  return [`- ${String(rows.length)} ${what}: ${words.join(', ')}`];
}

function table(rows: readonly Row[]): readonly string[] {
  return [
    '| What | State | Test |',
    '| --- | --- | --- |',
    ...rows.map(({ subject, proof }) => {
      const cells = [`\`${subject.shown}\``, stateOf(proof), testOf(proof)];
      return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
    }),
  ];
}

function stateOf(proof: Row['proof']): string {
  return proof.sentence === '' ? proof.state : `${proof.state}: "${proof.sentence}"`;
}

function testOf(proof: Row['proof']): string {
  const { file, test, subject } = proof;
  const name = file.replace(/^(tests\/e2e|src)\//, '').replace(/\.test\.ts$/, '');
  return `[${name}](../${file})${test === subject || test.includes(',') ? '' : `: ${test}`}`;
}
