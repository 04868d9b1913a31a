import { StatusError } from '#base/errors.ts';
import type {
  CommandInstruction,
  HealthcheckInstruction,
  Instruction,
  ListInstruction,
  PairsInstruction,
  TextInstruction,
} from '#formats/dockerfile/dockerfile.ts';
import type { HealthcheckConfig, ImageDefaults } from '#formats/oci.ts';
import { exposedPorts } from './exposed-ports.ts';
import { isSignal } from './signal-name.ts';
import { type StageState, withHistory } from './stage-state.ts';
import { setEnv } from './variables.ts';

/** Instructions that change the image's configuration and no file. */
export type MetadataInstruction =
  | CommandInstruction
  | HealthcheckInstruction
  | ListInstruction
  | PairsInstruction
  | (TextInstruction & { readonly kind: Exclude<TextInstruction['kind'], 'workdir'> });

export interface Expander {
  word(text: string): string;
  words(text: string): readonly string[];
}

/** Characters that environment, labels and the rest of a configuration may have together. */
const maxConfigLength = 4 * 1024 * 1024;

const defaultShell = ['/bin/sh', '-c'];

export function isMetadata(instruction: Instruction): instruction is MetadataInstruction {
  return !['add', 'arg', 'copy', 'run', 'workdir'].includes(instruction.kind);
}

/** The state after the instruction. `expand` sees the variables from before it. Throws InvalidArgument. */
export function applyMetadata(state: StageState, instruction: MetadataInstruction, expand: Expander): StageState {
  const next = apply(state, instruction, expand);
  if (JSON.stringify(next.defaults).length > maxConfigLength)
    throw new StatusError('TooLarge', `the image's configuration grows beyond ${String(maxConfigLength)} characters`);
  return next;
}

/** The shell of the state, for shell forms. */
export function shellOf(state: StageState): readonly string[] {
  const shell = state.defaults.Shell ?? [];
  return shell.length === 0 ? defaultShell : shell;
}

function apply(state: StageState, instruction: MetadataInstruction, expand: Expander): StageState {
  switch (instruction.kind) {
    case 'env':
    case 'label':
      return applyPairs(state, instruction, expand);
    case 'cmd':
    case 'entrypoint':
      return applyCommand(state, instruction);
    case 'expose':
    case 'volume':
    case 'shell':
      return applyList(state, instruction, expand);
    case 'healthcheck':
      return applyHealthcheck(state, instruction);
    default:
      return applyText(state, instruction, expand);
  }
}

function configured(state: StageState, change: ImageDefaults, createdBy: string): StageState {
  return withHistory({ ...state, defaults: { ...state.defaults, ...change } }, createdBy);
}

function applyPairs(state: StageState, { kind, pairs }: PairsInstruction, expand: Expander): StageState {
  const expanded = pairs.map(({ name, value }) => ({ name: expand.word(name), value: expand.word(value) }));
  if (expanded.some(({ name }) => name === ''))
    throw new StatusError('InvalidArgument', `${kind.toUpperCase()} names can not be blank`);
  const createdBy = [kind.toUpperCase(), ...expanded.map(({ name, value }) => `${name}=${value}`)].join(' ');
  if (kind === 'label') {
    const entries = expanded.map(({ name, value }) => [name, value] as const);
    return configured(state, { Labels: { ...state.defaults.Labels, ...Object.fromEntries(entries) } }, createdBy);
  }
  let env = state.defaults.Env ?? [];
  for (const { name, value } of expanded) env = setEnv(env, name, value);
  return configured(state, { Env: env }, createdBy);
}

function applyCommand(state: StageState, { kind, command }: CommandInstruction): StageState {
  const args =
    command.form === 'exec' || command.args.length === 0 ? command.args : [...shellOf(state), ...command.args];
  const createdBy = `${kind.toUpperCase()} [${args.map((arg) => JSON.stringify(arg)).join(' ')}]`;
  if (kind === 'cmd') return { ...configured(state, { Cmd: args }, createdBy), hasOwnCommand: true };
  const entrypoint = { Entrypoint: args.length === 0 ? null : args };
  return configured(state, state.hasOwnCommand ? entrypoint : { ...entrypoint, Cmd: null }, createdBy);
}

function applyList(state: StageState, { kind, values }: ListInstruction, expand: Expander): StageState {
  if (kind === 'shell') return configured(state, { Shell: values }, `SHELL [${values.join(' ')}]`);
  if (kind === 'expose') {
    const ports = exposedPorts(values.flatMap((value) => expand.words(value)));
    const createdBy = `EXPOSE [${ports.join(' ')}]`;
    const added = Object.fromEntries(ports.map((port) => [port, {}] as const));
    return configured(state, { ExposedPorts: { ...state.defaults.ExposedPorts, ...added } }, createdBy);
  }
  const volumes = values.map((value) => expand.word(value));
  if (volumes.includes('')) throw new StatusError('InvalidArgument', 'VOLUME specified can not be an empty string');
  const added = Object.fromEntries(volumes.map((volume) => [volume, {}] as const));
  return configured(state, { Volumes: { ...state.defaults.Volumes, ...added } }, `VOLUME [${volumes.join(' ')}]`);
}

function applyHealthcheck(state: StageState, check: HealthcheckInstruction): StageState {
  const { test, interval, timeout, startPeriod, startInterval, retries } = check;
  const config: HealthcheckConfig = {
    Test: test,
    ...(interval === 0 ? {} : { Interval: interval }),
    ...(timeout === 0 ? {} : { Timeout: timeout }),
    ...(startPeriod === 0 ? {} : { StartPeriod: startPeriod }),
    ...(startInterval === 0 ? {} : { StartInterval: startInterval }),
    ...(retries === 0 ? {} : { Retries: retries }),
  };
  return configured(state, { Healthcheck: config }, check.code);
}

function applyText(
  state: StageState,
  { kind, value: written }: MetadataInstruction & TextInstruction,
  expand: Expander,
): StageState {
  if (kind === 'maintainer') return { ...withHistory(state, `MAINTAINER ${written}`), author: written };
  if (kind === 'onbuild')
    return { ...state, defaults: { ...state.defaults, OnBuild: [...(state.defaults.OnBuild ?? []), written] } };
  const value = expand.word(written);
  if (kind === 'user') return configured(state, { User: value }, `USER ${value}`);
  if (!isSignal(value)) throw new StatusError('InvalidArgument', `Invalid signal: ${value}`);
  return configured(state, { StopSignal: value }, `STOPSIGNAL ${value}`);
}
