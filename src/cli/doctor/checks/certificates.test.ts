import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { instancePaths } from '#app/instance-paths.ts';
import { tempFolder } from '#kit/temp-root.ts';
import { clientCertificate } from '#pki/certificates.ts';
import { openClusterPki } from '#pki/cluster-pki.ts';

import type { Finding, Host } from '../check.ts';
import { certificates } from './certificates.ts';

test('what certificates there are, and which has ended', async (t) => {
  const nowMs = Date.UTC(2026, 5, 1);
  const pki = await openClusterPki(tempFolder(t), nowMs);
  const admin = pki.issue(clientCertificate('admin', []), nowMs).certificatePem;
  const paths = instancePaths('/');
  const check = async (files: Readonly<Record<string, string>>, days = 0): Promise<Finding> => {
    const read = (path: string): string | undefined => {
      const name = Object.keys(files).find((one) => join(paths.pki, `${one}.crt`) === path);
      return name === undefined ? undefined : files[name];
    };
    return await certificates.run({ paths, read, nowMs: nowMs + days * 86_400_000 } as Host);
  };
  const both = { ca: pki.authorityPem, admin };
  assert.match((await check({})).text, /^none yet/);
  assert.deepEqual(await check(both), {
    state: 'ok',
    text: '2 are valid, the first ends in 365 days and is renewed before',
  });
  const ended = await check(both, 400);
  assert.equal(ended.state, 'warn');
  assert.match(ended.text, /^admin \(CN=admin\) has ended on 2027-06-01/);
  const early = await check(both, -30);
  assert.equal(early.state, 'fail');
  assert.match(early.text, /^ca \(CN=kubernetes\) is valid only from 2026-05-31.*is the clock right/);
  assert.equal((await check({ ca: 'torn' })).state, 'fail');
  const torn = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  assert.equal((await check({ ...both, admin: torn })).state, 'warn');
});
