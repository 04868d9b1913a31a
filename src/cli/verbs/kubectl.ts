import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

import { StatusError } from '#base/errors.ts';

import type { Verb } from '../verb.ts';

/** What a shell says of a program that a signal has ended. */
const signalExitCode = 128;

export const kubectl: Verb = {
  usage: 'ARGUMENT...',
  description:
    'Runs the kubectl of this machine with the kubeconfig of this platform; all words after the verb are its own.\n' +
    "The exit code is kubectl's. Options of slipway stand before the verb: slipway --root DIR kubectl get pods.\n" +
    'Its own help is slipway kubectl help.',
  options: {},
  operandsMost: 0,
  passesArguments: true,
  needsRoot: true,
  run: async ({ paths, env, operands }) => {
    const program = findProgram('kubectl', env['PATH'] ?? '');
    if (program === undefined) {
      const way = `install kubectl 1.33 to 1.35, or give another client KUBECONFIG=${paths.kubeconfig}`;
      throw new StatusError('NotFound', `Cannot run kubectl: there is none on PATH; ${way}`);
    }
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    // Ctrl-C reaches both: kubectl decides what it means.
    const child = spawn(program, operands, { stdio: 'inherit', env: { ...env, KUBECONFIG: paths.kubeconfig } });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? signalExitCode));
    return promise;
  },
};

/** The first executable file of that name on a PATH. */
function findProgram(name: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
