import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Instance } from '../../kit/instance.ts';
import { needsClient } from '../../kit/needs-client.ts';

/** Words of a command line; one text is split at its spaces. */
type Words = string | readonly string[];

/** Rows of the matrix for commands and their flags: a command line of docker, and what is to be seen of it. */
export interface CommandCase {
  /** The rows it stands for; exactly one of the three is there. */
  readonly proves?: string;
  readonly refuses?: string;
  readonly inapplicable?: string;
  /** Part of the message when it is refused or does not apply. */
  readonly sentence?: string;
  /** Why it does not apply, where nobody is asked. */
  readonly because?: string;
  /** Without the word `docker`; several run one after the other, and the last one's output is looked at. */
  readonly run: Words | readonly (readonly string[])[];
  readonly stdin?: string | Uint8Array;
  readonly code?: number;
  readonly shows?: RegExp;
  /** The major version of the client since which it is so. */
  readonly sinceClient?: number;
}

/**
 * Makes a test of each case, in order, named by its rows. Flags that this machine's client has not got are left out.
 * `places` has words of command lines that are known only when the tests run, such as addresses.
 */
export function testCommands(
  instance: () => Pick<Instance, 'dockerWith'>,
  cases: readonly CommandCase[],
  places: ReadonlyMap<string, string> = new Map(),
): void {
  for (const one of cases) {
    const subject = one.proves ?? one.refuses ?? one.inapplicable ?? '';
    const options = one.sinceClient === undefined ? {} : needsClient(one.sinceClient);
    test(subject, options, async (t) => {
      for (const [index, line] of commandLines(one.run).entries()) {
        const words = line.map((word) => filled(word, places));
        const isLast = index === commandLines(one.run).length - 1;
        const input = one.stdin === undefined || !isLast ? {} : { stdin: one.stdin };
        const { code, stdout, stderr } = await instance().dockerWith(input, ...words);
        const said = `docker ${words.join(' ')} ended with ${String(code)}\n${stdout}${stderr}`;
        if (/^unknown (shorthand )?flag|^unknown command/m.test(stderr)) {
          t.skip(stderr.split('\n')[0]);
          return;
        }
        if (one.sentence !== undefined) {
          assert.notEqual(code, 0, said);
          assert.ok(stderr.includes(one.sentence), said);
        } else if (isLast) {
          assert.equal(code, one.code ?? 0, said);
          assert.match(stdout + stderr, one.shows ?? /^/, said);
        } else assert.equal(code, 0, said);
      }
    });
  }
}

function commandLines(run: CommandCase['run']): readonly (readonly string[])[] {
  if (typeof run === 'string') return [run.split(' ')];
  return run.every((words) => typeof words === 'string') ? [run] : run;
}

function filled(word: string, places: ReadonlyMap<string, string>): string {
  return [...places].reduce((text, [name, value]) => text.replace(name, value), word);
}
