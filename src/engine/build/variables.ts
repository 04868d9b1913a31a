import type { ArgInstruction, Dockerfile, LineRange } from '#formats/dockerfile/dockerfile.ts';
import { expandWord, type Variables } from '#formats/dockerfile/expand-word.ts';
import { placed } from '#formats/dockerfile/source-error.ts';
import type { Platform } from '#formats/oci.ts';

/** What is built where. */
interface Platforms {
  readonly target: Platform;
  readonly build: Platform;
  /** As asked for; '' = the last one. */
  readonly stage: string;
}

export type BuildArgs = Readonly<Record<string, string | undefined>>;

/** Arguments declared in a stage so far; undefined: declared without a value. */
export type ArgScope = ReadonlyMap<string, string | undefined>;

/**
 * Build arguments that RUN sees without ARG, and that neither the history nor the cache keep (Dockerfile reference,
 * "Predefined ARGs").
 */
export const proxyNames: readonly string[] = [
  'http_proxy',
  'https_proxy',
  'ftp_proxy',
  'no_proxy',
  'all_proxy',
].flatMap((name) => [name, name.toUpperCase()]);

/** The variables of FROM lines: the platform's and those of ARG before the first FROM. */
export function globalVariables(dockerfile: Dockerfile, buildArgs: BuildArgs, platforms: Platforms): Variables {
  const variables = new Map(platformVariables(platforms));
  for (const [name, value] of variables) variables.set(name, givenArg(buildArgs, name) ?? value);
  for (const { args, at } of dockerfile.globalArgs)
    for (const { name, value } of args) {
      const standard = (): string | undefined =>
        value === undefined ? undefined : expandAt(dockerfile, at, value, variables);
      const known = givenArg(buildArgs, name) ?? standard();
      if (known !== undefined) variables.set(name, known);
    }
  return variables;
}

/** Expands a word of some lines of the Dockerfile; what is wrong with it is said with its place. */
export function expandAt(dockerfile: Dockerfile, at: LineRange, text: string, variables: Variables): string {
  try {
    return expandWord(text, variables, { escape: dockerfile.escape });
  } catch (error) {
    throw placed(error, dockerfile.source, at);
  }
}

/**
 * The stage's arguments after an ARG instruction: a build argument, else the default (which sees the arguments before
 * it on the same line), else the value of a global ARG.
 */
export function declareArgs(
  scope: ArgScope,
  instruction: ArgInstruction,
  context: {
    readonly buildArgs: BuildArgs;
    readonly globals: Variables;
    readonly env: readonly string[];
    readonly dockerfile: Dockerfile;
  },
): ArgScope {
  const next = new Map(scope);
  for (const { name, value } of instruction.args) {
    const expanded = (): string | undefined =>
      value === undefined
        ? context.globals.get(name)
        : expandAt(context.dockerfile, instruction.at, value, visibleVariables(next, context.env));
    next.set(name, givenArg(context.buildArgs, name) ?? expanded());
  }
  return next;
}

/** What `$NAME` means in a stage: the environment wins over arguments of the same name. */
export function visibleVariables(scope: ArgScope, env: readonly string[]): Variables {
  const variables = new Map<string, string>();
  for (const [name, value] of scope) if (value !== undefined) variables.set(name, value);
  for (const entry of env) {
    const { name, value } = splitEnv(entry);
    variables.set(name, value);
  }
  return variables;
}

/** What RUN gets as environment: that of the image, then arguments that it does not hide. */
export function runEnvironment(scope: ArgScope, env: readonly string[]): readonly string[] {
  const names = new Set(env.map((entry) => splitEnv(entry).name));
  const args = [...scope].filter(([name, value]) => value !== undefined && !names.has(name));
  return [...env, ...args.map(([name, value]) => `${name}=${value ?? ''}`)];
}

/** Proxy settings for RUN, which are no part of what the step is; programs look for either spelling. */
export function proxyEnvironment(buildArgs: BuildArgs): readonly string[] {
  return proxyNames.flatMap((name) => {
    const other = name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase();
    const value = givenArg(buildArgs, name) ?? givenArg(buildArgs, other);
    return value === undefined ? [] : [`${name}=${value}`];
  });
}

/** Build arguments that no ARG of the Dockerfile asks for. */
export function unusedBuildArgs(dockerfile: Dockerfile, buildArgs: BuildArgs): readonly string[] {
  const declared = new Set([...proxyNames, 'SOURCE_DATE_EPOCH', 'BUILDKIT_INLINE_CACHE']);
  const instructions = [...dockerfile.globalArgs, ...dockerfile.stages.flatMap(({ instructions }) => instructions)];
  for (const instruction of instructions)
    if (instruction.kind === 'arg') for (const { name } of instruction.args) declared.add(name);
  return Object.keys(buildArgs).filter((name) => !declared.has(name) && !/^(TARGET|BUILD|BUILDKIT_)/.test(name));
}

export function splitEnv(entry: string): { readonly name: string; readonly value: string } {
  const equals = entry.indexOf('=');
  return equals === -1 ? { name: entry, value: '' } : { name: entry.slice(0, equals), value: entry.slice(equals + 1) };
}

/** The environment with one variable set, in its old place when it was there. */
export function setEnv(env: readonly string[], name: string, value: string): readonly string[] {
  const entry = `${name}=${value}`;
  const index = env.findIndex((other) => splitEnv(other).name === name);
  return index === -1 ? [...env, entry] : env.with(index, entry);
}

/** A build argument that is given with a value. */
export function givenArg(buildArgs: BuildArgs, name: string): string | undefined {
  return Object.hasOwn(buildArgs, name) ? buildArgs[name] : undefined;
}

/** `TARGETPLATFORM`, `BUILDARCH` and the like (Dockerfile reference, "Automatic platform ARGs in the global scope"). */
export function platformVariables({ target, build, stage }: Platforms): readonly (readonly [string, string])[] {
  return [
    ...variablesOf('TARGET', target),
    ...variablesOf('BUILD', build),
    ['TARGETSTAGE', stage === '' ? 'default' : stage],
  ];
}

function variablesOf(prefix: string, { os, architecture, variant = '' }: Platform): [string, string][] {
  const platform = [os, architecture, variant].filter((part) => part !== '').join('/');
  return [
    [`${prefix}PLATFORM`, platform],
    [`${prefix}OS`, os],
    [`${prefix}ARCH`, architecture],
    [`${prefix}VARIANT`, variant],
  ];
}
