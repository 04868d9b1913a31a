import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { CommandOptions, CommandResult } from '../../kit/command.ts';
import type { Instance } from '../../kit/instance.ts';
import { pluginPath } from '../../kit/tools.ts';

/** BuildKit's client before a daemon, with a folder of files for each build. */
export class Buildx {
  readonly #instance: Instance;
  /** For docker with its plugins. */
  readonly env: Readonly<Record<string, string>>;

  constructor(instance: Instance) {
    this.#instance = instance;
    const config = join(instance.root, 'buildx-config');
    mkdirSync(join(config, 'cli-plugins'), { recursive: true });
    for (const name of ['docker-buildx', 'docker-compose'])
      symlinkSync(pluginPath(name), join(config, 'cli-plugins', name));
    this.env = { ...instance.dockerEnv(), DOCKER_CONFIG: config, DOCKER_BUILDKIT: '1', BUILDX_GIT_INFO: '0' };
  }

  /** A folder with files; `Dockerfile` is one of them. */
  folder(files: Readonly<Record<string, string>>): string {
    const folder = mkdtempSync(join(this.#instance.root, 'context-'));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return folder;
  }

  async run(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return await this.#instance.dockerWith({ ...options, env: { ...this.env, ...options.env } }, 'buildx', ...args);
  }

  /** Builds with plain progress, which goes to stderr. */
  async build(folder: string, args: readonly string[] = [], options: CommandOptions = {}): Promise<CommandResult> {
    return await this.run(['build', '--progress=plain', ...args, folder], options);
  }

  /** A build that must succeed; returns its progress. */
  async built(folder: string, args: readonly string[] = [], options: CommandOptions = {}): Promise<string> {
    const { code, stderr } = await this.build(folder, args, options);
    if (code !== 0) throw new Error(`docker buildx build ${args.join(' ')} ended with ${String(code)}\n${stderr}`);
    return stderr;
  }

  /** A build that a test ends: buildx alone, since docker of 20.10 leaves it running when it is killed itself. */
  start(folder: string): ChildProcess {
    const args = ['build', '--progress=plain', folder];
    return spawn(pluginPath('docker-buildx'), args, { env: { ...process.env, ...this.env }, stdio: 'ignore' });
  }
}
