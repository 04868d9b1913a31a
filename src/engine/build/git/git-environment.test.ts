import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseGitUrl } from '#formats/git-url.ts';
import { type GitAccess, gitEnvironment } from './git-environment.ts';

const none: GitAccess = { home: '/h', token: undefined, header: undefined, agentPath: undefined, proxy: {} };

function settings(url: string, access: Partial<GitAccess> = {}): Readonly<Record<string, string | undefined>> {
  const env = gitEnvironment(parseGitUrl(url), { ...none, ...access });
  const count = Number(env['GIT_CONFIG_COUNT']);
  const pairs = Array.from({ length: count }, (_, at) => [
    env[`GIT_CONFIG_KEY_${String(at)}`] ?? '',
    env[`GIT_CONFIG_VALUE_${String(at)}`],
  ]);
  return Object.fromEntries(pairs) as Record<string, string>;
}

test('credentials go to the host of the URL only; a header wins over a token, that over the URL', () => {
  const key = 'http.https://h:8443/.extraHeader';
  const url = 'https://me:pass@h:8443/r.git';
  const basic = (pair: string): string => `Authorization: basic ${Buffer.from(pair).toString('base64')}`;
  assert.equal(settings('https://h:8443/r.git')[key], undefined);
  assert.equal(settings(url)[key], basic('me:pass'));
  assert.equal(settings(url, { token: 't' })[key], basic('x-access-token:t'));
  assert.equal(settings(url, { token: 't', header: 'bearer x' })[key], 'Authorization: bearer x');
});

test('nothing of this machine is used: no home, no keys, no protocols that start programs', () => {
  const env = gitEnvironment(parseGitUrl('git@h:r.git'), {
    ...none,
    agentPath: '/a',
    proxy: { HTTPS_PROXY: 'http://p' },
  });
  assert.equal(env['HOME'], '/h');
  assert.equal(env['GIT_ALLOW_PROTOCOL'], 'http:https:ssh:git');
  assert.match(
    env['GIT_SSH_COMMAND'] ?? '',
    /^ssh -F \/dev\/null .*-o IdentityFile=none.*'UserKnownHostsFile="\/h\/known_hosts"'$/,
  );
  assert.deepEqual([env['SSH_AUTH_SOCK'], env['https_proxy'], env['HTTPS_PROXY']], ['/a', 'http://p', 'http://p']);
});
