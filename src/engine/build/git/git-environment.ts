import type { GitUrl } from '#formats/git-url.ts';
import { proxyVariables } from '../proxy-variables.ts';

/** What git may use to reach a repository. */
export interface GitAccess {
  /** An empty folder in place of the caller's home. */
  readonly home: string;
  readonly token: string | undefined;
  /** A whole `Authorization` value. */
  readonly header: string | undefined;
  /** Socket of an SSH agent. */
  readonly agentPath: string | undefined;
  readonly proxy: Readonly<Record<string, string | undefined>>;
}

export const programFolders: readonly string[] = ['/usr/local/bin', '/usr/bin', '/bin'];

/** Seconds below 1,000 bytes per second after which a transfer is given up. */
const slowSeconds = '60';

/**
 * An environment in which git takes nothing from this machine: no configuration, no keys of root, no question, no
 * protocol that reads files or starts programs. Credentials are in it rather than in arguments, which others can read.
 */
export function gitEnvironment(url: GitUrl, access: GitAccess): Readonly<Record<string, string>> {
  const authorization = authorizationOf(url, access);
  const settings: readonly (readonly [string, string])[] = [
    ['core.hooksPath', '/dev/null'],
    ['advice.detachedHead', 'false'],
    ['credential.helper', ''],
    ...(authorization === undefined
      ? []
      : ([[`http.${new URL(url.remote).origin}/.extraHeader`, `Authorization: ${authorization}`]] as const)),
  ];
  return {
    PATH: programFolders.join(':'),
    HOME: access.home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: 'http:https:ssh:git',
    GIT_HTTP_LOW_SPEED_LIMIT: '1000',
    GIT_HTTP_LOW_SPEED_TIME: slowSeconds,
    GIT_SSH_COMMAND: sshCommand(access),
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(settings.map(([key], index) => [`GIT_CONFIG_KEY_${String(index)}`, key])),
    ...Object.fromEntries(settings.map(([, value], index) => [`GIT_CONFIG_VALUE_${String(index)}`, value])),
    ...(access.agentPath === undefined ? {} : { SSH_AUTH_SOCK: access.agentPath }),
    ...proxyVariables(access.proxy),
  };
}

/** BuildKit's order: a header as it is, else a token, else what the URL says. */
function authorizationOf({ credentials }: GitUrl, { token, header }: GitAccess): string | undefined {
  if (header !== undefined) return header;
  const pair = token === undefined ? credentials : `x-access-token:${token}`;
  return pair === '' ? undefined : `basic ${Buffer.from(pair).toString('base64')}`;
}

/** A host is trusted when it is first seen, for one fetch: there is no list of hosts to know it from. */
function sshCommand({ home }: GitAccess): string {
  const options = ['BatchMode=yes', 'IdentityFile=none', 'StrictHostKeyChecking=accept-new'];
  const known = `'UserKnownHostsFile="${home}/known_hosts"'`;
  return ['ssh', '-F', '/dev/null', ...[...options, known].flatMap((option) => ['-o', option])].join(' ');
}
