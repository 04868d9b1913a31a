import type { InstancePaths } from '#app/instance-paths.ts';

import type { Output } from './output.ts';

export interface Option {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  /** What stands for the value in usage: `DIR`. */
  readonly value?: string;
  readonly summary: string;
}

export type Options = Readonly<Record<string, Option>>;

/** What a verb is run with. */
export interface Invocation {
  readonly paths: InstancePaths;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether an option of type boolean was given. */
  readonly flag: (name: string) => boolean;
  /** The value of an option of type string, the last one given. */
  readonly text: (name: string) => string | undefined;
  /** All values of an option of type string. */
  readonly texts: (name: string) => readonly string[];
  readonly operands: readonly string[];
  readonly output: Output;
  /** Aborts at Ctrl-C. */
  readonly signal: AbortSignal;
}

export interface Verb {
  /** After `slipway [--root DIR] <name>`: options and operands. */
  readonly usage: string;
  /** What it does, in sentences; lines of at most 100 columns. */
  readonly description: string;
  readonly options: Options;
  readonly operandsMost: number;
  /** All words after the verb are its operands, as they are: they belong to another program. */
  readonly passesArguments?: true;
  readonly needsRoot: boolean;
  /** Returns the exit code. Throws StatusError for what the user can act on. */
  run(invocation: Invocation): Promise<number>;
}

/** A row of the table in verbs.ts: enough for help without loading the verb. */
export interface VerbRow {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Verb>;
}
