import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';

import { readKubeconfig } from './kubeconfig.ts';

const pem = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n';
const data = Buffer.from(pem).toString('base64');
const files: Readonly<Record<string, string>> = {
  'ca.crt': 'the ca',
  'me.crt': 'the cert',
  'me.key': 'the key',
  token: 'secret\n',
};
const readFile = (path: string): string => files[path] ?? assert.fail(`${path} is not there`);

describe('a kubeconfig', () => {
  test('says where the server is, and who we are, in its own words', () => {
    const config = configOf(
      { 'client-certificate-data': data, 'client-key-data': data },
      { 'certificate-authority-data': data },
    );
    assert.deepEqual(readKubeconfig(config, { readFile }), {
      origin: 'https://10.0.0.1:6443',
      authoritiesPem: pem,
      serverName: undefined,
      isInsecure: false,
      credentials: { certificatePem: pem, keyPem: pem },
      namespace: 'default',
    });
  });

  test('names files', () => {
    const user = { 'client-certificate': 'me.crt', 'client-key': 'me.key', tokenFile: 'token' };
    const target = readKubeconfig(configOf(user, { 'certificate-authority': 'ca.crt', 'tls-server-name': 'api' }), {
      readFile,
    });
    assert.deepEqual([target.authoritiesPem, target.serverName], ['the ca', 'api']);
    const { token, ...pair } = target.credentials;
    assert.deepEqual([pair, token?.()], [{ certificatePem: 'the cert', keyPem: 'the key' }, 'secret']);
  });

  test('has several contexts', () => {
    const config = {
      ...configOf({ token: 'one' }),
      contexts: [
        { name: 'main', context: { cluster: 'c', user: 'u' } },
        { name: 'other', context: { cluster: 'c', user: 'v', namespace: 'team' } },
        { name: 'nobody', context: { cluster: 'c' } },
      ],
      users: [
        { name: 'u', user: { token: 'one' } },
        { name: 'v', user: { token: 'two', tokenFile: 'not read' } },
      ],
    };
    assert.equal(readKubeconfig(config, { readFile }).credentials.token?.(), 'one');
    const other = readKubeconfig(config, { readFile, context: 'other' });
    assert.deepEqual([other.credentials.token?.(), other.namespace], ['two', 'team']);
    assert.deepEqual(readKubeconfig(config, { readFile, context: 'nobody' }).credentials, {});
  });

  const wrong: readonly (readonly [string, unknown, string, string])[] = [
    ['nothing', undefined, 'InvalidArgument', 'it is empty'],
    ['no current context', { contexts: [] }, 'InvalidArgument', 'it has no current-context; name a context'],
    [
      'a context that is not there',
      { 'current-context': 'x' },
      'InvalidArgument',
      'there is no context "x" in contexts',
    ],
    ['no server', configOf({}, { server: '' }), 'InvalidArgument', 'server "" is no URL'],
    ['plain HTTP', configOf({}, { server: 'http://x' }), 'NotSupported', 'server http://x: only https is supported'],
    [
      'a server below a path',
      configOf({}, { server: 'https://x/k8s' }),
      'NotSupported',
      'servers below a path are not supported',
    ],
    ['a proxy', configOf({}, { 'proxy-url': 'http://p' }), 'NotSupported', 'proxies are not supported'],
    [
      'an exec plugin',
      configOf({ exec: { command: 'aws' } }),
      'NotSupported',
      'user "u" has exec: it starts a program to get credentials',
    ],
    ['an auth provider', configOf({ 'auth-provider': {} }), 'NotSupported', 'auth providers are not supported'],
    ['a password', configOf({ username: 'x' }), 'NotSupported', 'Kubernetes has no passwords any more'],
    [
      'half a key pair',
      configOf({ 'client-key': 'me.key' }),
      'InvalidArgument',
      'client-certificate and client-key go together',
    ],
    [
      'data that is no PEM',
      configOf({ 'client-key-data': 'AAAA' }),
      'InvalidArgument',
      'client-key-data is not PEM in base64',
    ],
    ['a token that is no text', configOf({ token: 7 }), 'InvalidArgument', 'token is no text'],
  ];
  for (const [name, config, reason, words] of wrong) {
    test(`with ${name} is refused`, () => {
      assert.throws(
        () => readKubeconfig(config, { readFile }),
        (error) => error instanceof StatusError && error.reason === reason && error.message.includes(words),
      );
    });
  }

  test('of any JSON is read or refused', () => {
    const anything = fc.oneof(
      fc.jsonValue(),
      fc.record({ 'current-context': fc.constant('a'), contexts: fc.jsonValue(), clusters: fc.jsonValue() }),
    );
    fc.assert(
      fc.property(anything, (config) => {
        assert.throws(() => readKubeconfig(config, { readFile }), StatusError);
      }),
    );
  });
});

function configOf(user: object, cluster: object = {}): Record<string, unknown> {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'main',
    clusters: [{ name: 'c', cluster: { server: 'https://10.0.0.1:6443', ...cluster } }],
    contexts: [{ name: 'main', context: { cluster: 'c', user: 'u' } }],
    users: [{ name: 'u', user }],
  };
}
