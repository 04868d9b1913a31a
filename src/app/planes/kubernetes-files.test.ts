import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { tempFolder } from '#kit/temp-root.ts';

import { readAuditPolicy, readEncryption } from './kubernetes-files.ts';

test('policies and configurations are read from YAML, and what is wrong names the setting', async (t) => {
  const path = join(tempFolder(t), 'x.yaml');
  writeFileSync(path, 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Metadata\n');
  assert.equal((await readAuditPolicy(path)).rules[0]?.level, 'Metadata');
  await assert.rejects(readEncryption(path), /it is no EncryptionConfiguration/);
  const secret = Buffer.alloc(32, 1).toString('base64');
  const provider = `providers: [{aesgcm: {keys: [{name: k, secret: "${secret}"}]}}]`;
  const start = 'apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\n';
  writeFileSync(path, `${start}resources:\n- resources: [secrets]\n  ${provider}\n`);
  assert.deepEqual((await readEncryption(path))[0]?.resources, ['secrets']);
  writeFileSync(path, 'a: [');
  await assert.rejects(readAuditPolicy(path), /^StatusError: Cannot read kubernetes.auditPolicy "/);
  await assert.rejects(readEncryption('/none'), /kubernetes.encryptionConfiguration "\/none": ENOENT/);
});
