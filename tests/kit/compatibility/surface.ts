import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One thing that a client of Docker may use. */
export interface Subject {
  /** As rows name it: `docker run --cap-add`, `docker run`, `GET /containers/json`. */
  readonly name: string;
  /** The command, or the first folder of the endpoint's path; rows of one group stand in one table. */
  readonly group: string;
  /** What stands in the row: the flag as the client's help spells it. */
  readonly shown: string;
  /** A proof of it says one of these; empty: nothing of the kind can be asked. */
  readonly spellings: readonly string[];
}

/** Endpoints that moby serves and its description leaves out. */
const undescribedEndpoints = [
  'POST /containers/{id}/checkpoints',
  'GET /containers/{id}/checkpoints',
  'DELETE /containers/{id}/checkpoints/{checkpoint}',
  'POST /build/cancel',
  'POST /grpc',
];

/**
 * Every endpoint of the Engine API, every command and flag of the docker client, and of its plugin buildx those that a daemon
 * hears of; lists by scripts/list-docker-surface.ts.
 */
export function readSurface(): readonly Subject[] {
  const endpoints = [...linesOf('engine-api.txt'), ...undescribedEndpoints].map(endpointSubject);
  const commands = ['docker-client.txt', 'docker-buildx.txt'].flatMap(linesOf);
  return [...endpoints, ...commands.flatMap(commandSubjects)];
}

function linesOf(file: string): readonly string[] {
  const text = readFileSync(join(import.meta.dirname, file), 'utf8');
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

function endpointSubject(name: string): Subject {
  const [, path = ''] = name.split(' ');
  const words = path.split('/').filter((word) => word !== '' && !word.startsWith('{'));
  return { name, group: `/${words[0] ?? ''}`, shown: name, spellings: words.slice(-1) };
}

/** `docker exec: -d,--detach --user`: the command and its flags. */
function commandSubjects(line: string): readonly Subject[] {
  const [command = '', flags = ''] = line.split(/: ?/, 2);
  const own = { name: command, group: command, shown: command, spellings: [] };
  const words = flags.split(' ').filter((word) => word !== '');
  return [
    own,
    ...words.map((word) => {
      const spellings = word.split(',');
      return { name: `${command} ${spellings.at(-1) ?? ''}`, group: command, shown: spellings.join(', '), spellings };
    }),
  ];
}
