import { StatusError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type { RuntimeSeccomp, SeccompArgument, SeccompRule } from './runtime-spec.ts';
import { defaultSyscalls, seccompArchitectures, type SyscallGroup } from './seccomp-profile.ts';

export interface SeccompContext {
  readonly capabilities: ReadonlySet<string>;
  /** As `process.arch`. */
  readonly arch: string;
  /** Major and minor of the running kernel. */
  readonly kernel: readonly [number, number];
}

/** The default profile for a container with these capabilities. */
export function defaultSeccomp(context: SeccompContext): RuntimeSeccomp {
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    architectures: seccompArchitectures[context.arch] ?? [],
    syscalls: mergePlain(defaultSyscalls.filter((group) => applies(group, context)).map(ruleOf)),
  };
}

/**
 * A profile of the user's own, in Docker's format (with `includes`, `excludes`, `archMap`) or the runtime's. Throws
 * InvalidArgument for text that is not one.
 */
export function customSeccomp(text: string, context: SeccompContext): RuntimeSeccomp {
  const profile = parse(text);
  if (typeof profile['defaultAction'] !== 'string') throw invalid('defaultAction is missing');
  const rules = profile['syscalls'] ?? [];
  if (!Array.isArray(rules)) throw invalid('syscalls is not a list');
  const errno = profile['defaultErrnoRet'];
  return {
    defaultAction: profile['defaultAction'],
    ...(typeof errno === 'number' && { defaultErrnoRet: errno }),
    architectures: architecturesOf(profile, context),
    syscalls: rules.filter(isObject).flatMap((rule) => customRule(rule, context)),
  };
}

/** Rules that allow without a condition become one, which keeps config.json and runc's work on it small. */
function mergePlain(rules: readonly SeccompRule[]): readonly SeccompRule[] {
  const plain = rules.filter((rule) => rule.args === undefined && rule.errnoRet === undefined);
  const names = [...new Set(plain.flatMap((rule) => rule.names))];
  return [{ names, action: 'SCMP_ACT_ALLOW' }, ...rules.filter((rule) => !plain.includes(rule))];
}

function applies(group: SyscallGroup, context: SeccompContext): boolean {
  if (group.onlyOn !== undefined && !group.onlyOn.includes(context.arch)) return false;
  if (group.minKernel !== undefined && !atLeast(context.kernel, group.minKernel)) return false;
  if (group.withCapability !== undefined && !context.capabilities.has(group.withCapability)) return false;
  return group.withoutCapability === undefined || !context.capabilities.has(group.withoutCapability);
}

function ruleOf(group: SyscallGroup): SeccompRule {
  return {
    names: group.names.split(/\s+/),
    action: group.action === 'errno' ? 'SCMP_ACT_ERRNO' : 'SCMP_ACT_ALLOW',
    ...(group.errnoRet !== undefined && { errnoRet: group.errnoRet }),
    ...(group.args !== undefined && { args: group.args }),
  };
}

function atLeast(version: readonly [number, number], wanted: readonly [number, number]): boolean {
  return version[0] > wanted[0] || (version[0] === wanted[0] && version[1] >= wanted[1]);
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch (error) {
    throw invalid('it is not JSON', error);
  }
  throw invalid('it is not a JSON object');
}

function architecturesOf(profile: Record<string, unknown>, context: SeccompContext): readonly string[] {
  if (Array.isArray(profile['architectures'])) return strings(profile['architectures']);
  if (!Array.isArray(profile['archMap'])) return [];
  const own = seccompArchitectures[context.arch]?.[0];
  const entry = profile['archMap'].filter(isObject).find((item) => item['architecture'] === own);
  return entry === undefined || own === undefined ? [] : [own, ...strings(entry['subArchitectures'])];
}

function customRule(rule: Record<string, unknown>, context: SeccompContext): readonly SeccompRule[] {
  const includes = isObject(rule['includes']) ? rule['includes'] : {};
  const excludes = isObject(rule['excludes']) ? rule['excludes'] : {};
  if (!includesAll(includes, context) || excludesAny(excludes, context)) return [];
  const names = typeof rule['name'] === 'string' && rule['name'] !== '' ? [rule['name']] : strings(rule['names']);
  if (names.length === 0 || typeof rule['action'] !== 'string') throw invalid('a rule without names or action');
  const errno = rule['errnoRet'];
  const args = Array.isArray(rule['args']) ? (rule['args'].filter(isObject) as unknown as SeccompArgument[]) : [];
  return [
    {
      names,
      action: rule['action'],
      ...(typeof errno === 'number' && { errnoRet: errno }),
      ...(args.length > 0 && { args }),
    },
  ];
}

function includesAll(filter: Record<string, unknown>, context: SeccompContext): boolean {
  const arches = strings(filter['arches']);
  if (arches.length > 0 && !arches.includes(goArch(context.arch))) return false;
  if (!strings(filter['caps']).every((name) => context.capabilities.has(name))) return false;
  return typeof filter['minKernel'] !== 'string' || atLeast(context.kernel, versionOf(filter['minKernel']));
}

function excludesAny(filter: Record<string, unknown>, context: SeccompContext): boolean {
  if (strings(filter['arches']).includes(goArch(context.arch))) return true;
  if (strings(filter['caps']).some((name) => context.capabilities.has(name))) return true;
  return typeof filter['minKernel'] === 'string' && atLeast(context.kernel, versionOf(filter['minKernel']));
}

function versionOf(text: string): readonly [number, number] {
  const match = /^(\d+)\.(\d+)$/.exec(text);
  if (match === null) throw invalid(`minKernel "${text}" is not <major>.<minor>`);
  return [Number(match[1]), Number(match[2])];
}

function goArch(arch: string): string {
  return arch === 'x64' ? 'amd64' : arch;
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function invalid(what: string, cause?: unknown): StatusError {
  return new StatusError(
    'InvalidArgument',
    `Cannot use the seccomp profile: ${what}; see the OCI runtime specification`,
    {
      cause,
    },
  );
}
