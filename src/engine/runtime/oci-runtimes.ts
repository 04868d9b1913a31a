import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { separateControllers } from '#sys/hybrid-cgroups.ts';
import { type Program, SealedProgram } from '#sys/sealed-program.ts';

export const runtimeNames = ['crun', 'runc'] as const;
export type RuntimeName = (typeof runtimeNames)[number];

/** A program that makes containers (OCI runtime specification), and what is particular about it. */
export interface OciRuntime {
  readonly name: RuntimeName;
  readonly program: Program;
  /** Folder with its state of each container. */
  readonly root: string;
  /** Variables that it is started with. */
  readonly env: Readonly<Record<string, string>>;
}

/** Where the runtimes are; at least one. */
export type RuntimePaths = Readonly<Partial<Record<RuntimeName, string>>>;

export interface RuntimeChoice {
  readonly paths: RuntimePaths;
  /** The runtime of containers that name none; `auto`: crun where it can be used. */
  readonly default: RuntimeName | 'auto';
}

/** runc is short-lived: it needs no garbage collection, and more than two threads would only cost. */
const tuning: Readonly<Record<RuntimeName, Readonly<Record<string, string>>>> = {
  crun: {},
  runc: { GOGC: 'off', GOMAXPROCS: '2' },
};

/** The runtimes of this machine. A container keeps the one that made it for as long as it runs. */
export class OciRuntimes implements Disposable {
  readonly default: RuntimeName;
  readonly #programs: ReadonlyMap<RuntimeName, SealedProgram>;
  readonly #runDir: string;

  /** Throws Unavailable when what is wanted is not there or cannot work here. */
  constructor(choice: RuntimeChoice, runDir: string) {
    this.default = defaultRuntime(choice);
    this.#runDir = runDir;
    this.#programs = new Map(
      runtimeNames.flatMap((name) => {
        const path = choice.paths[name];
        return path === undefined ? [] : [[name, new SealedProgram(path, name)]];
      }),
    );
    for (const name of this.names) mkdirSync(this.#root(name), { recursive: true, mode: 0o700 });
  }

  get names(): readonly RuntimeName[] {
    return [...this.#programs.keys()];
  }

  /** Throws Unavailable when it is not installed (any more). */
  get(name: RuntimeName): OciRuntime {
    const program = this.#programs.get(name);
    if (program === undefined)
      throw new StatusError('Unavailable', `Cannot run ${name}: it is not installed; apt-get install ${name}`);
    return { name, program, root: this.#root(name), env: tuning[name] };
  }

  [Symbol.dispose](): void {
    for (const program of this.#programs.values()) program[Symbol.dispose]();
  }

  #root(name: RuntimeName): string {
    return join(this.#runDir, name);
  }
}

function defaultRuntime({ paths, default: wanted }: RuntimeChoice): RuntimeName {
  if (wanted === 'runc' || (wanted === 'auto' && paths.crun === undefined)) return installed(paths, 'runc');
  const left = separateControllers();
  if (left.length === 0) return installed(paths, 'crun');
  if (wanted === 'auto') return installed(paths, 'runc');
  throw new StatusError(
    'Unavailable',
    `Cannot use crun: this machine has controllers of cgroup v1 and in the v2 tree (${left.join(', ')}); set engine.runtime=runc, or boot it with cgroup v2`,
  );
}

function installed(paths: RuntimePaths, name: RuntimeName): RuntimeName {
  if (paths[name] !== undefined) return name;
  throw new StatusError(
    'Unavailable',
    `Cannot start plane "engine": ${name} is not on PATH; run ./slipway up, which installs it, or set engine.${name}Path`,
  );
}
