import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parse } from 'yaml';

import { AuditFile } from '#apiserver/audit/audit-file.ts';
import { parseAuditPolicy, type AuditPolicy } from '#apiserver/audit/audit-policy.ts';
import { parseEncryptionConfiguration, type EncryptedKinds } from '#apiserver/encryption/encryption-configuration.ts';
import { messageOf, StatusError } from '#base/errors.ts';
import type { Logger } from '#base/logger.ts';

const auditBytesMost = 100 * 1024 * 1024;
const auditFilesMost = 10;

/** The audit policy in a file. Throws InvalidArgument. */
export async function readAuditPolicy(path: string): Promise<AuditPolicy> {
  return parseAuditPolicy(await readYamlFile('kubernetes.auditPolicy', path));
}

/** What is encrypted and how, in a file. Throws InvalidArgument. */
export async function readEncryption(path: string): Promise<readonly EncryptedKinds[]> {
  return parseEncryptionConfiguration(await readYamlFile('kubernetes.encryptionConfiguration', path));
}

/** `audit.log` in a folder: ten files of 100 MB. */
export function openAuditFile(folder: string, logger: Logger): AuditFile {
  return new AuditFile({
    path: join(folder, 'audit.log'),
    sizeBytesMost: auditBytesMost,
    filesMost: auditFilesMost,
    onLost: (count, error) => logger.error('audit events were lost', { count, error }),
  });
}

async function readYamlFile(setting: string, path: string): Promise<unknown> {
  try {
    return parse(await readFile(path, 'utf8'), { maxAliasCount: 10 }) as unknown;
  } catch (cause) {
    throw new StatusError('InvalidArgument', `Cannot read ${setting} "${path}": ${messageOf(cause)}`, { cause });
  }
}
