import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { expandBraces } from '../../kit/compatibility/expand-braces.ts';
import type { CommandResult } from '../../kit/command.ts';
import type { Instance } from '../../kit/instance.ts';

/** One row of the matrix, for `docker run` and `docker create`: options of a container, and what is to be seen of them. */
export interface FlagCase {
  /** The rows it stands for; exactly one of the three is there. */
  readonly proves?: string;
  readonly refuses?: string;
  readonly inapplicable?: string;
  /** Part of the message when it is refused. */
  readonly sentence?: string;
  /** Why it does not apply, where it is accepted. */
  readonly because?: string;
  /** Why it cannot be tried on this machine; undefined: it can. */
  readonly skip?: () => string | undefined;
  /** `COMMAND` in it is replaced by the command. */
  readonly args: readonly string[];
  /** A script that runs in the container; its output is looked at. */
  readonly does?: string;
  /** A template for `docker inspect`; its output is looked at instead. */
  readonly inspect?: string;
  readonly stdin?: string;
  readonly shows?: RegExp;
  readonly image?: string;
}

/** Tests that may run side by side: each has containers of its own. */
const atOnce = 4;

/**
 * Makes a test of each case, named by the row. Flags that this machine's client has not got are left out. The containers
 * stay until their instance is destroyed.
 */
export function testFlags(what: string, instance: () => Instance, cases: readonly FlagCase[]): void {
  const helps = new Map<string, Promise<string>>();
  const helpOf = (command: string): Promise<string> => {
    const help = helps.get(command) ?? instance().dockerOutput(command, '--help');
    helps.set(command, help);
    return help;
  };
  describe(what, { concurrency: atOnce }, () => {
    for (const [index, one] of cases.entries()) {
      const subject = one.proves ?? one.refuses ?? one.inapplicable ?? '';
      test(subject, async (t) => {
        const reason = one.skip?.();
        if (reason !== undefined) t.skip(reason);
        for (const row of reason === undefined ? expandBraces(subject) : []) {
          const [, command = '', flag = ''] = row.split(' ');
          if ((await helpOf(command)).includes(flag)) await testRow(instance(), row, index, one);
          else t.diagnostic(`this client has no ${row}`);
        }
      });
    }
  });
}

async function testRow(instance: Instance, row: string, index: number, one: FlagCase): Promise<void> {
  const [, command = ''] = row.split(' ');
  const name = `${row.replaceAll(/[^a-z0-9]+/g, '-')}-${String(index)}`;
  const { code, stdout, stderr } = await carryOut(instance, command, name, one);
  if (one.sentence !== undefined) {
    assert.notEqual(code, 0, `${row} is accepted`);
    assert.ok(stderr.includes(one.sentence), stderr);
    return;
  }
  assert.equal(code, 0, `${row}\n${stderr}`);
  const { inspect, shows = /^/ } = one;
  const seen = inspect === undefined ? stdout + stderr : await instance.dockerOutput('inspect', '-f', inspect, name);
  assert.match(seen, shows, row);
}

async function carryOut(
  instance: Instance,
  command: string,
  name: string,
  { args, does, inspect, stdin, image = 'busybox' }: FlagCase,
): Promise<CommandResult> {
  const options = stdin === undefined ? {} : { stdin };
  const own = args.map((arg) => arg.replace('COMMAND', command));
  const program = does === undefined ? [] : ['sh', '-c', `${does}; true`];
  const first = await instance.dockerWith(options, command, '--name', name, ...own, image, ...program);
  if (command === 'run' || inspect !== undefined || first.code !== 0) return first;
  const started = await instance.dockerWith(options, 'start', stdin === undefined ? '-a' : '-ai', name);
  return { ...started, stderr: first.stderr + started.stderr };
}
