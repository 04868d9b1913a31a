import type { Finding, Host } from './check.ts';

/** Whether a program is there and new enough. */
export async function checkProgram(
  host: Host,
  program: string,
  oldest: readonly [number, number],
  purpose: string,
): Promise<Finding> {
  const fix = `apt-get install ${program}`;
  const line = await host.version(program);
  if (line === undefined) return { state: 'fail', text: `${program}, which ${purpose}, is not installed`, fix };
  const [version = 'unknown', major = '0', minor = '0'] = /(\d+)\.(\d+)[^\s,]*/.exec(line) ?? [];
  const enough = Number(major) > oldest[0] || (Number(major) === oldest[0] && Number(minor) >= oldest[1]);
  if (enough) return { state: 'ok', text: `${program} ${version}` };
  return { state: 'fail', text: `${program} ${version} is older than ${oldest.join('.')}`, fix };
}
