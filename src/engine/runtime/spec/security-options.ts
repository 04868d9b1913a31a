import { StatusError } from '#base/errors.ts';

export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  /** `default`, `unconfined`, or the JSON text of a profile. */
  readonly seccomp: string;
  /** undefined: nothing was said. */
  readonly apparmor: string | undefined;
  /** `systempaths=unconfined`: no masked and no read-only paths. */
  readonly allPaths: boolean;
  /** `writable-cgroups`; undefined: as the container is privileged or not. */
  readonly writableCgroups?: boolean;
}

/** Reads `--security-opt` values, `key=value` or the old `key:value`. Throws InvalidArgument or NotSupported. */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  let result: SecurityOptions = { noNewPrivileges: false, seccomp: 'default', apparmor: undefined, allPaths: false };
  for (const option of options) result = { ...result, ...parseOne(option) };
  return result;
}

function parseOne(option: string): Partial<SecurityOptions> {
  const match = /^([a-z-]+)(?:[=:](.*))?$/s.exec(option);
  const value = match?.[2] ?? '';
  switch (match?.[1]) {
    case 'no-new-privileges':
      return { noNewPrivileges: booleanOf(option, value) };
    case 'seccomp':
      if (value === '') throw invalid(option);
      return { seccomp: value === 'builtin' ? 'default' : value };
    case 'apparmor':
      if (value === '') throw invalid(option);
      return { apparmor: value };
    case 'systempaths':
      if (value !== 'unconfined') throw invalid(option);
      return { allPaths: true };
    case 'writable-cgroups':
      return { writableCgroups: booleanOf(option, value) };
    case 'label':
      if (value === 'disable') return {};
      throw new StatusError('NotSupported', `Cannot use --security-opt ${option}: SELinux labels are not supported`);
    default:
      throw invalid(option);
  }
}

function booleanOf(option: string, value: string): boolean {
  if (value === '' || value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  throw invalid(option);
}

function invalid(option: string): StatusError {
  return new StatusError('InvalidArgument', `invalid --security-opt 2: "${option}"`);
}
