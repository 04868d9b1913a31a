import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { CommandOptions, CommandResult } from '../../kit/command.ts';
import type { Instance } from '../../kit/instance.ts';
import { pluginPath } from '../../kit/tools.ts';

/** What compose is told of the machine: no terminal, no colours, progress as plain lines. */
const composeEnv = { COMPOSE_ANSI: 'never', COMPOSE_PROGRESS: 'plain', COMPOSE_STATUS_STDOUT: '1' };

/** A folder with a compose file, and compose 2 as a plugin of the docker client in it. Disposing takes all of it away. */
export class Project implements AsyncDisposable {
  readonly folder: string;
  readonly #instance: Instance;

  constructor(instance: Instance, files: Readonly<Record<string, string>>) {
    this.#instance = instance;
    this.folder = mkdtempSync(join(instance.root, 'project-'));
    for (const [path, text] of Object.entries(files)) this.write(path, text);
    const plugins = join(instance.dockerEnv()['DOCKER_CONFIG'] ?? '', 'cli-plugins');
    rmSync(plugins, { recursive: true, force: true });
    mkdirSync(plugins, { recursive: true });
    symlinkSync(pluginPath('docker-compose'), join(plugins, 'docker-compose'));
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), text);
  }

  /** The arguments for `docker` that run `compose ARGS` on this project. */
  args(...args: readonly string[]): readonly string[] {
    return ['compose', '--project-directory', this.folder, ...args];
  }

  async run(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    const env = { ...composeEnv, ...options.env };
    return await this.#instance.dockerWith({ cwd: this.folder, ...options, env }, ...this.args(...args));
  }

  /** Runs `docker compose ARGS`, which must succeed; returns its stdout without the last newline. */
  async output(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    if (code !== 0) throw new Error(`docker compose ${args.join(' ')} ended with ${String(code)}\n${stderr}${stdout}`);
    return stdout.trimEnd();
  }

  /** `service:state` of all its containers, in order. */
  async states(): Promise<readonly string[]> {
    const lines = await this.output(
      '--profile',
      '*',
      'ps',
      '--all',
      '--orphans=false',
      '--format',
      '{{.Service}}:{{.State}}',
    );
    return lines.split('\n').filter(Boolean).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.output('--profile', '*', 'down', '--volumes', '--remove-orphans', '--timeout', '0');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
