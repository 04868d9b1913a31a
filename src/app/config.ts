import { readFileSync } from 'node:fs';

import { StatusError, type Problem } from '#base/errors.ts';
import { hasCode } from '#sys/errno.ts';

import { logSettings } from './log-settings.ts';
import { collectionSettings } from './planes/collection-settings.ts';
import { dockerSettings } from './planes/docker-settings.ts';
import { engineSettings } from './planes/engine-settings.ts';
import { kubernetesSettings } from './planes/kubernetes-settings.ts';
import { registrySettings } from './planes/registry-settings.ts';
import { storeSettings } from './planes/store-settings.ts';
import type { Section, ValuesOf } from './setting.ts';

/** All sections of slipway.yaml; each plane's settings stand beside it. */
const sections = {
  log: logSettings,
  engine: engineSettings,
  docker: dockerSettings,
  registry: registrySettings,
  kubernetes: kubernetesSettings,
  store: storeSettings,
  gc: collectionSettings,
} as const;

type SectionName = keyof typeof sections;

/** Where a value came from, in rising order of weight. */
export type Source = 'default' | 'file' | 'environment' | 'flag';

/** One setting as it is in force, for `config explain`. */
export interface Explained {
  /** `section.name`. */
  readonly key: string;
  readonly value: unknown;
  readonly source: Source;
  /** The file and line, the variable or the flag; '' for the default. */
  readonly origin: string;
}

export type Config = { readonly [Name in SectionName]: ValuesOf<(typeof sections)[Name]> } & {
  readonly explained: readonly Explained[];
};

export interface ConfigSources {
  readonly configFile: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `section.name=value` as given to `--set`. */
  readonly flags: readonly string[];
}

interface Given {
  readonly value: unknown;
  readonly source: Source;
  readonly origin: string;
}

/**
 * The configuration in force: flags over environment over file over defaults. Throws InvalidArgument that names every
 * problem with its line, variable or flag.
 */
export async function readConfig(sources: ConfigSources): Promise<Config> {
  const problems: Problem[] = [];
  const file = await readFile(sources.configFile, problems);
  const flags = readFlags(sources.flags, problems);
  const explained: Explained[] = [];
  const config: Record<string, Record<string, unknown>> = {};
  for (const [key, setting] of allSettings()) {
    const given = flags.get(key) ?? fromEnvironment(key, sources.env) ?? file.get(key);
    const value = given === undefined ? setting.default : setting.type.parse(given.value);
    if (value === undefined)
      problems.push({ path: given?.origin ?? '', message: `${key} is not ${setting.type.name}` });
    explained.push({ key, value, source: given?.source ?? 'default', origin: given?.origin ?? '' });
    const [section = '', name = ''] = key.split('.');
    config[section] = { ...config[section], [name]: value };
  }
  if (problems.length > 0) {
    const list = problems.map((problem) => `${problem.path}: ${problem.message}`).join('; ');
    throw new StatusError('InvalidArgument', `Cannot read the configuration: ${list}; correct it and try again`, {
      problems,
    });
  }
  return { ...(config as unknown as Config), explained };
}

/** `SLIPWAY_ENGINE_RUNC_PATH` for `engine.runcPath`. */
export function variableOf(key: string): string {
  return `SLIPWAY_${key
    .replaceAll(/[A-Z]/g, (letter) => `_${letter}`)
    .replace('.', '_')
    .toUpperCase()}`;
}

/** Every setting with its key, in the order of the docs. */
export function allSettings(): readonly (readonly [string, Section[string]])[] {
  return Object.entries<Section>(sections).flatMap(([section, settings]) =>
    Object.entries(settings).map(([name, setting]) => [`${section}.${name}`, setting] as const),
  );
}

function fromEnvironment(key: string, env: ConfigSources['env']): Given | undefined {
  const variable = variableOf(key);
  const text = env[variable];
  if (text === undefined) return undefined;
  return { value: settingOf(key)?.type.fromText(text), source: 'environment', origin: variable };
}

function readFlags(flags: readonly string[], problems: Problem[]): ReadonlyMap<string, Given> {
  const given = new Map<string, Given>();
  for (const flag of flags) {
    const origin = `--set ${flag}`;
    const [, key = '', text = ''] = /^([\w.]+)=(.*)$/s.exec(flag) ?? [];
    const setting = settingOf(key);
    if (setting === undefined)
      problems.push({
        path: origin,
        message: unknown(
          key,
          allSettings().map(([one]) => one),
        ),
      });
    else given.set(key, { value: setting.type.fromText(text), source: 'flag', origin });
  }
  return given;
}

async function readFile(path: string, problems: Problem[]): Promise<ReadonlyMap<string, Given>> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return new Map();
    throw new StatusError('InvalidArgument', `Cannot read the configuration: ${path} is not readable`, {
      cause: error,
    });
  }
  const { readYaml } = await import('./config-file.ts');
  const { entries, problems: syntax } = readYaml(text);
  problems.push(...syntax.map(({ line, message }) => ({ path: `${path}:${String(line)}`, message })));
  const given = new Map<string, Given>();
  for (const { section, name, value, line } of entries) {
    const origin = `${path}:${String(line)}`;
    const names = Object.keys(sections[section as SectionName] ?? {});
    if (names.length === 0) problems.push({ path: origin, message: unknown(section, Object.keys(sections)) });
    else if (name !== undefined && !names.includes(name))
      problems.push({ path: origin, message: unknown(`${section}.${name}`, names) });
    else if (name !== undefined) given.set(`${section}.${name}`, { value, source: 'file', origin });
  }
  return given;
}

function settingOf(key: string): Section[string] | undefined {
  return allSettings().find(([one]) => one === key)?.[1];
}

function unknown(key: string, known: readonly string[]): string {
  return `unknown key ${JSON.stringify(key)}, known are ${known.join(', ')}`;
}
