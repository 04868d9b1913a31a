import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { repository } from './run-part.ts';

interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

type Packages = Readonly<Record<string, LockedPackage>>;

const folder = 'node_modules/';
const listFile = 'deps.txt';
/** Only such a machine measures, and only what it has; for the rest the list keeps what it says, or it would differ. */
const measures = process.platform === 'linux' && process.arch === 'x64';

/** deps.txt: the packages of package-lock.json that an installation runs with, one a line. */
export function dependencyList(): string {
  const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as { packages: Packages };
  const known = knownSizes();
  const rows = Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true)
    .map(([path, one]) => [
      nameOf(path),
      one.version ?? '',
      one.license ?? 'no license named',
      one.optional === true ? 'optional' : 'always',
      (measures ? sizeOf(join(repository, path)) : undefined) ?? known.get(nameOf(path)) ?? '-',
      `for ${pulledBy(path, lock.packages).join(', ')}`,
    ]);
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return [
    '# Packages that Slipway runs with: name, version, license, whether every machine gets it, kilobytes, who needs it.',
    '# Rendered from package-lock.json by scripts/list-dependencies.ts. Linux on x86-64 gets those that have a size.',
    ...lines,
    '',
  ].join('\n');
}

/** Kilobytes of an installed package, to two digits. */
function sizeOf(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const sizes = readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name)).size);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return String(Number((total / 1000).toPrecision(2)));
}

function knownSizes(): Map<string, string> {
  const lines = readFileSync(join(repository, listFile), 'utf8').split('\n');
  const rows = lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.split(/ {2,}/));
  return new Map(rows.map(([name = '', , , , size = '-']) => [name, size]));
}

function nameOf(path: string): string {
  return path === '' ? 'slipway' : path.slice(path.lastIndexOf(folder) + folder.length);
}

/** Names of the packages that list it and find this copy of it. */
function pulledBy(path: string, packages: Packages): readonly string[] {
  const name = nameOf(path);
  return Object.entries(packages)
    .filter(([, { dev }]) => dev !== true)
    .filter(([, one]) => name in { ...one.dependencies, ...one.optionalDependencies })
    .filter(([user]) => resolved(user, name, packages) === path)
    .map(([user]) => nameOf(user));
}

/** Where a package finds another: in its own node_modules, or in those of the folders above. */
function resolved(user: string, name: string, packages: Packages): string | undefined {
  for (let from = user; ; from = from.slice(0, Math.max(0, from.lastIndexOf(`/${folder}`)))) {
    const path = `${from === '' ? '' : `${from}/`}${folder}${name}`;
    if (path in packages) return path;
    if (from === '') return undefined;
  }
}
