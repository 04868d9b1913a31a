import { readFileSync } from 'node:fs';
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

/** deps.txt: the packages of package-lock.json that an installation runs with, one a line. */
export function dependencyList(): string {
  const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as { packages: Packages };
  const rows = Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true)
    .map(([path, one]) => [
      nameOf(path),
      one.version ?? '',
      one.license ?? 'no license named',
      one.optional === true ? 'optional' : 'always',
      `for ${pulledBy(path, lock.packages).join(', ')}`,
    ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return [
    '# Packages that Slipway runs with: name, version, license, whether every machine gets it, who needs it.',
    '# Rendered from package-lock.json by scripts/list-dependencies.ts.',
    ...lines,
    '',
  ].join('\n');
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
