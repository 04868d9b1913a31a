import { createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { certificatesOfPem } from '#formats/x509/pem.ts';
import { makeFolderDurably, removeTemporaries, writeDurably } from '#sys/durable-file.ts';

import {
  certificatePem,
  issueCertificate,
  makeAuthority,
  publicKeyBytes,
  type Authority,
  type Wanted,
} from './authority.ts';
import { keyPem, newKey, openKeyFile, readText } from './key-file.ts';

/** A key with its certificate, as TLS takes them. */
export interface KeyPair {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** What all that the cluster trusts rests on. */
export interface ClusterPki {
  /** Signs certificates of servers, clients and nodes. */
  readonly authority: Authority;
  /** Signs the client with which the server speaks to extension API servers. */
  readonly frontProxy: Authority;
  /** Signs service-account tokens. */
  readonly serviceAccountKey: KeyObject;
  /** PEM of the cluster's authority. */
  readonly authorityPem: string;
  readonly frontProxyPem: string;
  /** A new key and a certificate for it from the cluster's authority. */
  issue(wanted: Omit<Wanted, 'publicKey'>, nowMs: number): KeyPair;
  issueFrontProxyClient(wanted: Omit<Wanted, 'publicKey'>, nowMs: number): KeyPair;
}

/**
 * Opens the keys and authorities in a folder, named as kubeadm names them; makes those that are missing. A key is on disk
 * before its certificate is made, so that an interrupted start is completed by the next one. Throws Damaged when a
 * certificate does not belong to its key.
 */
export async function openClusterPki(folder: string, nowMs: number): Promise<ClusterPki> {
  await makeFolderDurably(folder, 0o700);
  await removeTemporaries(folder);
  const authority = await openAuthority(folder, 'ca', 'kubernetes', nowMs);
  const frontProxy = await openAuthority(folder, 'front-proxy-ca', 'front-proxy-ca', nowMs);
  const serviceAccountKey = await openKeyFile(join(folder, 'sa.key'));
  await writePublicKey(join(folder, 'sa.pub'), serviceAccountKey);
  const issuing = (from: Authority) => (wanted: Omit<Wanted, 'publicKey'>, nowMs: number) => {
    const key = newKey();
    const certificate = issueCertificate(from, { ...wanted, publicKey: publicKeyBytes(key) }, nowMs);
    return { certificatePem: certificatePem(certificate), keyPem: keyPem(key) };
  };
  return {
    authority,
    frontProxy,
    serviceAccountKey,
    authorityPem: certificatePem(authority.certificate),
    frontProxyPem: certificatePem(frontProxy.certificate),
    issue: issuing(authority),
    issueFrontProxyClient: issuing(frontProxy),
  };
}

async function openAuthority(folder: string, name: string, commonName: string, nowMs: number): Promise<Authority> {
  const key = await openKeyFile(join(folder, `${name}.key`));
  const path = join(folder, `${name}.crt`);
  const text = await readText(path);
  if (text === undefined) {
    const authority = makeAuthority(commonName, key, nowMs);
    await writeDurably(path, certificatePem(authority.certificate), 0o644);
    return authority;
  }
  const [certificate] = certificatesOfPem(text);
  if (certificate === undefined || !new X509Certificate(certificate).checkPrivateKey(key)) {
    const way = `restore both from one backup, or remove the certificate to have it made anew for this key`;
    throw new StatusError('Damaged', `Cannot use authority "${path}": it does not belong to ${name}.key; ${way}`);
  }
  return { certificate, key };
}

/** For people and other programs that check tokens. */
async function writePublicKey(path: string, key: KeyObject): Promise<void> {
  const pem = createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString();
  if ((await readText(path)) !== pem) await writeDurably(path, pem, 0o644);
}
