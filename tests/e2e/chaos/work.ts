import type { CommandResult } from '../../kit/command.ts';
import type { Instance } from '../../kit/instance.ts';

import type { Ledger } from './ledger.ts';
import type { Random } from '../../kit/random.ts';

/** What the operations of the mixed load share. */
export interface Work {
  readonly instance: Instance;
  readonly ledger: Ledger;
  readonly random: Random;
  /** Name of an image in a registry. */
  readonly remoteImage: string;
  /** A container that runs all the time. */
  readonly counter: string;
  /** A name that nothing had before. */
  name(kind: string): string;
}

type Operation = (work: Work) => Promise<void>;

/** Runs `docker ARGS`; undefined when the daemon did not say yes. */
async function tried({ instance, ledger }: Work, args: readonly string[], stdin = ''): Promise<string | undefined> {
  const { code, stdout }: CommandResult = await instance.dockerWith({ stdin }, ...args);
  if (code === 0) ledger.acknowledged += 1;
  else ledger.cut += 1;
  return code === 0 ? stdout : undefined;
}

const run: Operation = async (work) => {
  const [name, code, line] = [work.name('x'), 1 + work.random.integer(100), work.name('line')];
  const script = `echo ${line}; sleep 0.${String(work.random.integer(4))}; exit ${String(code)}`;
  if ((await tried(work, ['run', '-d', '--name', name, 'busybox', 'sh', '-c', script])) === undefined) return;
  work.ledger.exits.set(name, { code, line });
};

const remove: Operation = async (work) => {
  const name = work.random.pick([...work.ledger.exits.keys()]);
  if (name === undefined) return;
  work.ledger.exits.delete(name);
  if ((await tried(work, ['rm', '-f', name])) !== undefined) work.ledger.removed.containers.add(name);
};

const network: Operation = async (work) => {
  const name = work.name('n');
  if ((await tried(work, ['network', 'create', name])) === undefined) return;
  work.ledger.networks.add(name);
  // There are 31 subnets for networks without one.
  if (work.ledger.networks.size < 6) return;
  const old = work.random.pick([...work.ledger.networks]) ?? name;
  work.ledger.networks.delete(old);
  if ((await tried(work, ['network', 'rm', old])) !== undefined) work.ledger.removed.networks.add(old);
};

const volume: Operation = async (work) => {
  const [name, text] = [work.name('v'), work.name('text')];
  const write = ['run', '--rm', '-v', `${name}:/d`, 'busybox', 'sh', '-c', `echo ${text} > /d/f; cat /d/f`];
  // With --rm the client learns the end of the container in every case, the daemon's or the connection's.
  if ((await tried(work, write))?.trim() !== text) return;
  work.ledger.volumes.set(name, text);
  if (work.ledger.volumes.size < 6) return;
  const old = work.random.pick([...work.ledger.volumes.keys()]) ?? name;
  work.ledger.volumes.delete(old);
  if ((await tried(work, ['volume', 'rm', old])) !== undefined) work.ledger.removed.volumes.add(old);
};

const build: Operation = async (work) => {
  const [name, text] = [work.name('i'), work.name('text')];
  const dockerfile = `FROM busybox\nRUN echo ${text} > /text\nCMD ["cat", "/text"]\n`;
  if ((await tried(work, ['build', '-q', '-t', name, '-'], dockerfile)) === undefined) return;
  work.ledger.images.set(name, text);
};

const pull: Operation = async (work) => {
  if ((await tried(work, ['pull', '-q', work.remoteImage])) !== undefined) await tried(work, ['rmi', work.remoteImage]);
};

const exec: Operation = async (work) => {
  const word = work.name('word');
  const said = await tried(work, ['exec', work.counter, 'echo', word]);
  if (said !== undefined && said.trim() !== word) throw new Error(`exec said "${said}", not "${word}"`);
};

const logs: Operation = async (work) => {
  const tail = await tried(work, ['logs', '--tail', '20', work.counter]);
  const numbers = (tail ?? '').trim().split('\n').map(Number);
  if (tail !== undefined && !areConsecutive(numbers)) throw new Error(`logs skip lines: ${numbers.join(' ')}`);
};

/** Often run and remove, now and then the rest. */
export const operations: readonly Operation[] = [run, run, remove, network, volume, build, pull, exec, logs];

export function areConsecutive(numbers: readonly number[]): boolean {
  return numbers.every((number, index) => index === 0 || number === (numbers[index - 1] ?? 0) + 1);
}
