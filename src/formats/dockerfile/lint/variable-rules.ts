import { StatusError } from '#base/errors.ts';
import { parseReference } from '../../reference.ts';
import type { Dockerfile, Instruction, LineRange, Stage } from '../dockerfile.ts';
import { expandWord, type Variables } from '../expand-word.ts';
import { suggest } from '../suggest.ts';
import type { Finding } from './lint-rules.ts';

/** What the Dockerfile itself does not say. */
export interface Surroundings {
  /** `TARGETPLATFORM` and the like. */
  readonly platform: Variables;
  /** Build arguments that are known without ARG, such as the proxies. */
  readonly predefined: readonly string[];
  /** Names of the environment of a base image; undefined when it is not here. */
  readonly baseNames: (image: string) => readonly string[] | undefined;
}

/** Variables that nothing sets, and what FROM makes of them. */
export function variableFindings(dockerfile: Dockerfile, around: Surroundings): readonly Finding[] {
  const globals = defaultGlobals(dockerfile, around.platform);
  const names = [
    ...around.platform.keys(),
    ...dockerfile.globalArgs.flatMap(({ args }) => args.map(({ name }) => name)),
  ];
  const known = new Map<number, ReadonlySet<string> | undefined>();
  return dockerfile.stages.flatMap((stage) => {
    const own = stageFindings(dockerfile, stage, { around, known, globals });
    return [...fromFindings(stage, names, globals), ...own];
  });
}

/** Global arguments as if no build argument was given. */
function defaultGlobals({ globalArgs, escape }: Dockerfile, platform: Variables): Variables {
  const variables = new Map(platform);
  for (const { name, value } of globalArgs.flatMap(({ args }) => args)) {
    const expanded = value === undefined ? undefined : tryExpand(value, variables, () => {}, escape);
    if (expanded !== undefined) variables.set(name, expanded);
  }
  return variables;
}

function fromFindings(stage: Stage, names: readonly string[], globals: Variables): readonly Finding[] {
  const { base, platform, name, at } = stage;
  const missing = [base, platform].flatMap((word) => undefinedNames(word, new Set(names)));
  const findings = missing.map((missed): Finding => {
    const text = `FROM argument '${missed}' is not declared${suggest(missed, names)}`;
    return { rule: 'UndefinedArgInFrom', text, at };
  });
  if (!isReference(tryExpand(base, globals, () => {}))) {
    const text = `Default value for ARG ${base} results in empty or invalid base image name`;
    findings.push({ rule: 'InvalidDefaultArgInFrom', text, at });
  }
  if (platform === '$TARGETPLATFORM' || platform === '${TARGETPLATFORM}') {
    const text = `Setting platform to predefined ${platform} in FROM is redundant as this is the default behavior`;
    findings.push({ rule: 'RedundantTargetPlatform', text, at });
  }
  const isConstant = platform !== '' && !platform.includes('$');
  if (isConstant && !platform.split('/').some((part) => name.includes(part))) {
    const text = `FROM --platform flag should not use constant value ${JSON.stringify(platform)}`;
    findings.push({ rule: 'FromPlatformFlagConstDisallowed', text, at });
  }
  return findings;
}

/** Goes through a stage as a build does; what it has at its end is noted for stages that begin with it. */
function stageFindings(
  { stages, escape }: Dockerfile,
  stage: Stage,
  {
    around,
    known,
    globals,
  }: {
    readonly around: Surroundings;
    readonly known: Map<number, ReadonlySet<string> | undefined>;
    readonly globals: Variables;
  },
): readonly Finding[] {
  const base = tryExpand(stage.base, globals, () => {}) ?? '';
  const from = stages.findLast((other) => other.index < stage.index && other.name === base.toLowerCase());
  const start = from === undefined ? baseNames(base, around) : known.get(from.index);
  if (start === undefined) return [];
  const names = new Set(start);
  const findings: Finding[] = [];
  for (const instruction of stage.instructions) {
    const missing = new Set(wordsOf(instruction).flatMap((word) => undefinedNames(word, names, escape)));
    for (const missed of missing) findings.push(undefinedVariable(missed, [...names], instruction.at));
    if (instruction.kind === 'arg') for (const { name } of instruction.args) names.add(name);
    if (instruction.kind === 'env') for (const { name } of instruction.pairs) names.add(name);
  }
  known.set(stage.index, names);
  return findings;
}

function baseNames(image: string, { predefined, baseNames: ask }: Surroundings): ReadonlySet<string> | undefined {
  const own = image === 'scratch' ? [] : ask(image);
  return own === undefined ? undefined : new Set(['PATH', ...predefined, ...own]);
}

function undefinedVariable(name: string, names: readonly string[], at: LineRange): Finding {
  const better = suggest(name, names).replace(/did you mean /, 'did you mean $');
  return { rule: 'UndefinedVar', text: `Usage of undefined variable '$${name}'${better}`, at };
}

/** Every word of an instruction in which variables are expanded. */
function wordsOf(instruction: Instruction): readonly string[] {
  switch (instruction.kind) {
    case 'add':
    case 'copy': {
      const { sources, destination, chown, chmod, exclude } = instruction;
      return [...sources, destination, chown, chmod, ...exclude];
    }
    case 'arg':
      return instruction.args.flatMap(({ value }) => value ?? []);
    case 'env':
    case 'label':
      return instruction.pairs.flatMap(({ name, value }) => [name, value]);
    case 'expose':
    case 'volume':
      return instruction.values;
    case 'stopsignal':
    case 'user':
    case 'workdir':
      return [instruction.value];
    default:
      return [];
  }
}

function undefinedNames(
  word: string,
  names: ReadonlySet<string>,
  escape: Dockerfile['escape'] = '\\',
): readonly string[] {
  const missing: string[] = [];
  const variables = new Map([...names].map((name) => [name, '']));
  tryExpand(word, variables, (name) => missing.push(name), escape);
  return missing;
}

/** undefined: it cannot be expanded, which the build itself will say. */
function tryExpand(
  word: string,
  variables: Variables,
  onUndefined: (name: string) => void,
  escape: Dockerfile['escape'] = '\\',
): string | undefined {
  try {
    return expandWord(word, variables, { escape, onUndefined });
  } catch (error) {
    if (error instanceof StatusError) return undefined;
    throw error;
  }
}

function isReference(text: string | undefined): boolean {
  if (text === undefined) return true;
  try {
    parseReference(text);
    return true;
  } catch (error) {
    if (error instanceof StatusError) return false;
    throw error;
  }
}
