import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseModule } from '../../arch/module.ts';
import { expandBraces } from './expand-braces.ts';
import { findProofs } from './find-proofs.ts';
import { matrixOf } from './matrix.ts';
import { readSurface, type Subject } from './surface.ts';

const surface: readonly Subject[] = [
  { name: 'docker run', group: 'docker run', shown: 'docker run', spellings: [] },
  { name: 'docker run --env', group: 'docker run', shown: '-e, --env', spellings: ['-e', '--env'] },
  { name: 'docker run --gpus', group: 'docker run', shown: '--gpus', spellings: ['--gpus'] },
  { name: 'docker node ls', group: 'docker node ls', shown: 'docker node ls', spellings: [] },
  { name: 'GET /info', group: '/info', shown: 'GET /info', spellings: ['info'] },
];

function proofsIn(text: string): ReturnType<typeof findProofs> {
  return findProofs(parseModule('tests/e2e/a.test.ts', text));
}

test('braces stand for alternatives, and leave parameters of paths alone', () => {
  assert.deepEqual(expandBraces('docker {run,create} --{ip,ip6}'), [
    'docker run --ip',
    'docker run --ip6',
    'docker create --ip',
    'docker create --ip6',
  ]);
  assert.deepEqual(expandBraces('GET /containers/{id}/json'), ['GET /containers/{id}/json']);
});

test('marks of tests and rows of tables are proofs', () => {
  const proofs = proofsIn(`
    test('sets variables', proves('docker run', 'docker run --env'), () => run('-e', 'A=b'));
    test(\`refuses \${kind}\`, refuses('no such thing', 'docker run --gpus'), () => run('--gpus'));
    const longer = proves('docker run --env');
    test('sets more', longer, () => run('-e'));
    const rows = [{ proves: 'GET /info' }, { inapplicable: 'docker node *', sentence: /not a swarm/ }];
  `);
  assert.deepEqual(
    proofs.map(({ subject, state, test: name, sentence }) => [subject, state, name, sentence]),
    [
      ['docker run', 'works', 'sets variables', ''],
      ['docker run --env', 'works', 'sets variables', ''],
      ['docker run --gpus', 'refused', 'refuses …', 'no such thing'],
      ['docker run --env', 'works', 'sets more', ''],
      ['GET /info', 'works', 'GET /info', ''],
      ['docker node *', 'not applicable', 'docker node *', 'not a swarm'],
    ],
  );
  const { rows, problems } = matrixOf(surface, proofs);
  assert.deepEqual(problems, []);
  assert.equal(rows.find(({ subject }) => subject.name === 'docker node ls')?.proof.state, 'not applicable');
});

test('a proof that does not say the flag, of what is not there, or against another one, is a problem', () => {
  const problems = (text: string): readonly string[] =>
    matrixOf(surface, proofsIn(text)).problems.filter((problem) => !problem.startsWith('no test'));
  assert.match(matrixOf(surface, []).problems[0] ?? '', /no test shows what becomes of docker run$/);
  assert.match(problems(`test('a', proves('docker run --env'), () => {})`)[0] ?? '', /never says -e or --env/);
  assert.match(problems(`test('a', proves('docker run --eve'), () => '--eve')`)[0] ?? '', /neither an endpoint nor/);
  assert.match(problems(`test('a', refuses('', 'docker run --gpus'), () => '--gpus')`)[0] ?? '', /in which words/);
  const both = `test('a', proves('docker run --env'), () => '-e'); const row = { refuses: 'docker run --env', sentence: 'x -e' }`;
  assert.match(problems(both)[0] ?? '', /works and refused/);
});

test('the surface names each thing once', () => {
  const names = readSurface().map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const name of ['docker run --cap-add', 'docker ps', 'GET /containers/{id}/json', 'POST /grpc'])
    assert.ok(names.includes(name), name);
});
