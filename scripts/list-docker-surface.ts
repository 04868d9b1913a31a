// Writes what the compatibility matrix must cover: the commands and flags of the docker client on this machine, and with
// a path of moby's api/swagger.yaml as argument the endpoints it names. Run by hand for a newer client or API.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { pluginPath } from '#kit/tools.ts';
import { repository } from './run-part.ts';

const folder = join(repository, 'tests/kit/compatibility');
const [swagger] = process.argv.slice(2);

/** Nobody listens there: the client then shows everything, whatever a daemon may do. */
const env = { ...process.env, DOCKER_HOST: 'unix:///nonexistent/docker.sock', COLUMNS: '200' };

/** What buildx asks a daemon; its other commands are about builders elsewhere, or about registries alone. */
const buildxCommands = ['bake', 'build', 'du', 'inspect', 'ls', 'prune'];

function say(args: readonly string[], program = 'docker'): string {
  const { stdout, status } = spawnSync(program, args, { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${String(status)}`);
  return stdout;
}

function flagsIn(help: string): readonly string[] {
  const flags = [...help.matchAll(/^ +(?:-(\w), )?--([a-z0-9-]+)/gm)].map(([, letter, name = '']) =>
    letter === undefined ? `--${name}` : `-${letter},--${name}`,
  );
  // Descriptions may go on with a flag at the start of their next line.
  return [...new Set(flags)];
}

/** One line per command, with the flags that it has; a command with several names is there once, by its shortest. */
function commandLines(path: readonly string[]): readonly string[] {
  const help = say([...path, '--help']);
  const blocks = [...help.matchAll(/^(?:[A-Z]\w+ )?Commands:\n((?: .*\n)+)/gm)].map(([, block = '']) => block);
  const subcommands = blocks.flatMap((block) => [...block.matchAll(/^ {2}(\w[\w-]*)/gm)].map(([, name = '']) => name));
  const aliases = /^Aliases:\n\s+(.*)$/m.exec(help)?.[1]?.split(', ') ?? [];
  const name = ['docker', ...path].join(' ');
  const isGroup = path.length > 0 && subcommands.length > 0;
  if (isGroup) return subcommands.flatMap((subcommand) => commandLines([...path, subcommand]));
  if (aliases.some((alias) => wordsIn(alias) < wordsIn(name))) return [];
  const below = subcommands.flatMap((subcommand) => commandLines([...path, subcommand]));
  return [`${name}: ${flagsIn(help).join(' ')}`.trimEnd(), ...below];
}

function wordsIn(text: string): number {
  return text.split(' ').length;
}

const client = say(['--version']).trim();
const lines = [...new Set(commandLines([]))].toSorted();
writeFileSync(
  join(folder, 'docker-client.txt'),
  [`# ${client}; by scripts/list-docker-surface.ts`, ...lines, ''].join('\n'),
);

const buildx = pluginPath('docker-buildx');
const plugin = say(['version'], buildx).trim();
const buildxLines = buildxCommands.map((command) => {
  const flags = flagsIn(say([command, '--help'], buildx)).filter((flag) => flag !== '-h,--help');
  return `docker buildx ${command}: ${flags.join(' ')}`;
});
writeFileSync(
  join(folder, 'docker-buildx.txt'),
  [`# ${plugin}; by scripts/list-docker-surface.ts`, ...buildxLines, ''].join('\n'),
);

if (swagger !== undefined) {
  const text = readFileSync(swagger, 'utf8');
  const version = /^ {2}version: "([\d.]+)"$/m.exec(text)?.[1] ?? '';
  const paths = text
    .slice(text.indexOf('\npaths:\n'))
    .split(/^ {2}(?=\/)/m)
    .slice(1);
  const endpoints = paths.flatMap((block) => {
    const path = block.slice(0, block.indexOf(':'));
    return [...block.matchAll(/^ {4}(get|head|post|put|delete):$/gm)].map(
      ([, method = '']) => `${method.toUpperCase()} ${path}`,
    );
  });
  writeFileSync(
    join(folder, 'engine-api.txt'),
    [`# Docker Engine API ${version}; by scripts/list-docker-surface.ts`, ...endpoints, ''].join('\n'),
  );
}
