import { posix } from 'node:path';

import { perModule, roomOf, type Rule } from './rule.ts';

/** Rooms by height; a room imports only from lower ones. */
const layers: readonly (readonly string[])[] = [
  ['base'],
  ['formats'],
  ['sys'],
  ['engine', 'store', 'kube', 'pki'],
  ['docker', 'registry', 'apiserver', 'control', 'agent', 'edge', 'remote'],
  ['app'],
  ['cli'],
  ['main.ts'],
];

/** Who may import a package, by the start of its path. */
const packages: Readonly<Record<string, { readonly users: readonly string[]; readonly reason: string }>> = {
  koffi: { users: ['src/sys/'], reason: 'Linux is touched in one room only' },
  yaml: {
    users: ['src/app/', 'src/kube/codec/', 'src/apiserver/handlers/'],
    reason: 'configuration is parsed at one door, bodies of requests at another, and answers are written at a third',
  },
  'dns-packet': { users: ['src/engine/network/'], reason: 'names are answered in one room' },
  '@marcbachmann/cel-js': {
    users: ['src/kube/cel/', 'src/kube/custom/'],
    reason: 'expressions are bounded and given their libraries at one door',
  },
  'fast-check': { users: ['*.test.ts', 'tests/'], reason: 'it is a development dependency' },
  dockerode: { users: ['tests/e2e/clients/'], reason: 'it is a client that tests run against the API' },
  testcontainers: { users: ['tests/e2e/clients/'], reason: 'it is a client that tests run against the API' },
  'oxc-parser': { users: ['tests/arch/'], reason: 'it is a development dependency' },
};

const inputOutput =
  /^node:(fs|net|http|https|http2|dgram|tls|dns|child_process|cluster|worker_threads|os|process)(\/|$)/;

/** Places that start processes, and which. */
const spawners: Readonly<Record<string, string>> = {
  'src/engine/runtime/': 'runtimes, conmon and ps',
  'src/sys/ext4-image.ts': 'mkfs.ext4, e2fsck and resize2fs, whose work no system call does',
  'src/sys/run-program.ts':
    'programs of the distribution in namespaces of their own: debootstrap and apt for the first base image, git for builds that name a repository',
  'src/cli/': 'the daemon; the runtimes and conmon for their versions; a library that may crash',
  'src/engine/stream/': 'xz and bzip2, which Node.js does not have',
  'tests/': 'the daemon and real clients',
  'scripts/': 'the tools',
  'bench/': 'the peers',
};

const importsPointDown: Rule = perModule(
  {
    name: 'imports point down',
    reason: `Layers keep every room testable alone: ${layers.map((row) => row.join(' ')).join(' < ')}.`,
    broken: { 'src/base/a.ts': `import { b } from '#engine/b.ts';\nb();` },
  },
  function* (module) {
    const own = heightOf(roomOf(module.path));
    if (own < 0) {
      if (module.path.startsWith('src/')) yield { line: 1, what: 'this room is in no layer; add it to tests/arch' };
      return;
    }
    for (const { specifier, line } of module.imports) {
      const target = roomOf(resolve(module.path, specifier));
      if (specifier.startsWith('#kit/') && !module.path.endsWith('.test.ts'))
        yield { line, what: `${specifier} belongs to tests` };
      if (target === '' || target === roomOf(module.path)) continue;
      if (heightOf(target) >= own) yield { line, what: `${specifier} lies above or beside this room` };
    }
  },
);

const importsUseDoors: Rule = perModule(
  {
    name: 'imports use the doors',
    reason:
      'A path says whether it leaves the room: `./x.ts` and `../y/x.ts` inside, `#room/x.ts` across; `internal/` is private to its parent.',
    broken: { 'src/engine/a.ts': `import { b } from '../docker/b.ts';\nb();` },
  },
  function* (module) {
    for (const { specifier, line } of module.imports) {
      const target = resolve(module.path, specifier);
      if (specifier.startsWith('.') && topOf(target) !== topOf(module.path))
        yield { line, what: `${specifier} leaves the room; write #room/...` };
      if (specifier.startsWith('#') && topOf(target) === topOf(module.path))
        yield { line, what: `${specifier} is in this room; write a relative path` };
      const owner = target.split('/internal/')[0] ?? '';
      if (owner !== target && !module.path.startsWith(`${owner}/`)) yield { line, what: `${specifier} is internal` };
    }
  },
);

const noCycles: Rule = {
  name: 'no import cycles',
  reason: 'Modules in a cycle can only be understood, tested and started together.',
  broken: { 'src/base/a.ts': `import './b.ts';`, 'src/base/b.ts': `import './a.ts';` },
  check: (modules) => {
    const graph = new Map(
      modules.map((module) => [module.path, module.imports.map((i) => resolve(module.path, i.specifier))]),
    );
    const done = new Set<string>();
    const cycles: string[][] = [];
    const visit = (path: string, trail: readonly string[]): void => {
      const at = trail.indexOf(path);
      if (at >= 0) cycles.push([...trail.slice(at), path]);
      if (at >= 0 || done.has(path)) return;
      for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
      done.add(path);
    };
    for (const path of graph.keys()) visit(path, []);
    return cycles.map((cycle) => ({ where: cycle[0] ?? '', what: cycle.join(' -> ') }));
  },
};

const packagesHaveOwners: Rule = perModule(
  {
    name: 'packages have owners',
    reason:
      'A package is used behind one door, so that it can be replaced; the table in tests/arch says where and why.',
    broken: { 'src/engine/a.ts': `import koffi from 'koffi';\nkoffi.load('x');` },
  },
  function* (module) {
    for (const { specifier, line } of module.imports) {
      if (/^(\.|#|node:)/.test(specifier)) continue;
      const row =
        packages[
          specifier
            .split('/')
            .slice(0, specifier.startsWith('@') ? 2 : 1)
            .join('/')
        ];
      if (row === undefined) yield { line, what: `package ${specifier} is not in the table` };
      else if (!row.users.some((user) => covers(user, module.path)))
        yield { line, what: `package ${specifier} is for ${row.users.join(', ')}: ${row.reason}` };
    }
  },
);

const formatsArePure: Rule = perModule(
  {
    name: 'formats do no input or output',
    reason: 'Parsers of foreign bytes are fuzzed as plain functions, and a browser can share them.',
    broken: { 'src/formats/a.ts': `import fs from 'node:fs';\nfs.readFileSync('x');` },
  },
  function* (module) {
    if (roomOf(module.path) !== 'formats' || module.isTest) return;
    for (const { specifier, line } of module.imports) {
      if (inputOutput.test(specifier)) yield { line, what: `${specifier} does input or output` };
    }
  },
);

const fewSpawners: Rule = perModule(
  {
    name: 'few places start processes',
    reason: `A process costs milliseconds and is one more thing to clean up: ${Object.entries(spawners)
      .map((row) => row.join(' '))
      .join('; ')}.`,
    broken: { 'src/engine/network/a.ts': `import { spawn } from 'node:child_process';\nspawn('x');` },
  },
  function* (module) {
    if (Object.keys(spawners).some((start) => module.path.startsWith(start)) || module.isTest) return;
    for (const { specifier, line } of module.imports) {
      if (specifier === 'node:child_process' || specifier === '#sys/spawn.ts') yield { line, what: 'starts processes' };
    }
  },
);

const noBarrels: Rule = perModule(
  {
    name: 'no barrel files',
    reason: 'A name is imported from the file that defines it; re-exports hide cycles and load what nobody needs.',
    broken: { 'src/base/a.ts': `export * from './b.ts';` },
  },
  function* (module) {
    if (/(^|\/)index\.ts$/.test(module.path)) yield { line: 1, what: 'index.ts' };
    for (const { specifier, line, reexport } of module.imports)
      if (reexport) yield { line, what: `re-exports ${specifier}` };
  },
);

export const importRules: readonly Rule[] = [
  importsPointDown,
  importsUseDoors,
  noCycles,
  packagesHaveOwners,
  formatsArePure,
  fewSpawners,
  noBarrels,
];

/** The path in the repository that a specifier names; the specifier itself for packages. */
function resolve(from: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(from), specifier);
  if (specifier.startsWith('#kit/')) return `tests/kit/${specifier.slice(5)}`;
  return specifier.startsWith('#') ? `src/${specifier.slice(1)}` : specifier;
}

function topOf(path: string): string {
  return path
    .split('/')
    .slice(0, path.startsWith('src/') ? 2 : 1)
    .join('/');
}

function heightOf(room: string): number {
  return layers.findIndex((row) => row.includes(room));
}

function covers(user: string, path: string): boolean {
  return user.startsWith('*') ? path.endsWith(user.slice(1)) : path.startsWith(user);
}
