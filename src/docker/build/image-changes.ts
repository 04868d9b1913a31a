import { posix } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { applyMetadata, isMetadata } from '#engine/build/metadata.ts';
import { hostPlatform } from '#engine/build/platform.ts';
import type { StageState } from '#engine/build/stage-state.ts';
import { scratchState } from '#engine/build/stage-state.ts';
import type { Instruction } from '#formats/dockerfile/dockerfile.ts';
import { expandWord, expandWords } from '#formats/dockerfile/expand-word.ts';
import { parseInstruction } from '#formats/dockerfile/parse-instruction.ts';
import { readStatement } from '#formats/dockerfile/statement.ts';
import type { ImageDefaults } from '#formats/oci.ts';

/** Instructions that `--change` of commit and import may carry, as in Docker. */
const changeKinds: ReadonlySet<string> = new Set([
  'cmd',
  'entrypoint',
  'env',
  'expose',
  'healthcheck',
  'label',
  'onbuild',
  'stopsignal',
  'user',
  'volume',
  'workdir',
]);

/** Defaults with the instructions of `--change` applied, one per line; throws InvalidArgument. */
export function changedDefaults(defaults: ImageDefaults, changes: readonly string[]): ImageDefaults {
  let state: StageState = { ...scratchState(hostPlatform()), defaults, hasOwnCommand: true };
  for (const line of changes.map((text) => text.trim()).filter((text) => text !== '')) {
    const statement = readStatement({ text: line, at: { start: 1, end: 1 }, heredocs: [] }, '\\');
    if (!changeKinds.has(statement.keyword.toLowerCase())) {
      throw new StatusError('InvalidArgument', `${statement.keyword} is not a valid change command`);
    }
    const instruction = parseInstruction(statement);
    if (instruction.kind !== 'from') state = applyChange(state, instruction);
  }
  return state.defaults;
}

function applyChange(state: StageState, instruction: Instruction): StageState {
  const variables = new Map((state.defaults.Env ?? []).map(splitVariable));
  const expand = {
    word: (text: string) => expandWord(text, variables),
    words: (text: string) => expandWords(text, variables),
  };
  if (isMetadata(instruction)) return applyMetadata(state, instruction, expand);
  if (instruction.kind !== 'workdir') return state;
  const WorkingDir = posix.resolve('/', state.defaults.WorkingDir ?? '', expand.word(instruction.value));
  return { ...state, defaults: { ...state.defaults, WorkingDir } };
}

function splitVariable(entry: string): readonly [string, string] {
  const split = entry.indexOf('=');
  return split < 0 ? [entry, ''] : [entry.slice(0, split), entry.slice(split + 1)];
}
