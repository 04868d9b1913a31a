import { createPrivateKey, X509Certificate } from 'node:crypto';
import { join } from 'node:path';

import { every } from '#base/clock.ts';
import { parseAddress } from '#formats/ip-address.ts';
import { certificatesOfPem } from '#formats/x509/pem.ts';
import { writeDurably } from '#sys/durable-file.ts';

import { isIssuedBy } from './authority.ts';
import { certificateStatus } from './certificate-status.ts';
import type { KeyPair } from './cluster-pki.ts';
import { readText } from './key-file.ts';

export interface RotatingOptions {
  readonly folder: string;
  /** Files are `<name>.crt` and `<name>.key`. */
  readonly name: string;
  /** DER of the authority that must have issued it. */
  readonly authority: Uint8Array;
  /** Names and addresses that it must have; others than these make it anew. */
  readonly alternativeNames: readonly string[];
  readonly issue: (nowMs: number) => KeyPair;
  readonly nowMs: () => number;
}

/** A certificate that is renewed while the program runs. */
export interface RotatingCertificate extends Disposable {
  current(): KeyPair;
  /** Renews when it is due, or not valid by the clock of now; returns whether it did. */
  check(): Promise<boolean>;
  /** Called with each new pair. */
  onChange(listener: (pair: KeyPair) => void): Disposable;
}

/** Half-hourly: a clock that was set right is noticed soon, at the cost of one comparison. */
const checkPeriodMs = 1_800_000;

/**
 * Takes the pair from its files when it fits, else issues one, and looks every half hour whether its last third has begun
 * or the clock has left its validity in either direction. `onError` is told of renewals that failed; they are tried again.
 */
export async function openRotatingCertificate(
  options: RotatingOptions,
  onError: (error: unknown) => void,
): Promise<RotatingCertificate> {
  const listeners = new Set<(pair: KeyPair) => void>();
  let pair = (await readPair(options)) ?? (await renew(options));
  const check = async (): Promise<boolean> => {
    if (!isDue(pair, options.nowMs())) return false;
    pair = await renew(options);
    for (const listener of listeners) listener(pair);
    return true;
  };
  const timer = every(checkPeriodMs, () => void check().catch(onError));
  return {
    current: () => pair,
    check,
    onChange: (listener) => {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    [Symbol.dispose]: () => timer[Symbol.dispose](),
  };
}

function isDue({ certificatePem }: KeyPair, nowMs: number): boolean {
  return certificateStatus(certificatePem, nowMs)?.state !== 'valid';
}

/** The key goes first: a certificate without its key is noticed by `readPair` and made anew. */
async function renew({ folder, name, issue, nowMs }: RotatingOptions): Promise<KeyPair> {
  const pair = issue(nowMs());
  await writeDurably(join(folder, `${name}.key`), pair.keyPem, 0o600);
  await writeDurably(join(folder, `${name}.crt`), pair.certificatePem, 0o644);
  return pair;
}

async function readPair(options: RotatingOptions): Promise<KeyPair | undefined> {
  const keyPem = await readText(join(options.folder, `${options.name}.key`));
  const certificatePem = await readText(join(options.folder, `${options.name}.crt`));
  if (keyPem === undefined || certificatePem === undefined) return undefined;
  const pair = { keyPem, certificatePem };
  return fits(pair, options) ? pair : undefined;
}

/** Whatever does not parse does not fit, and is replaced. */
function fits(pair: KeyPair, { authority, alternativeNames, nowMs }: RotatingOptions): boolean {
  try {
    const [bytes] = certificatesOfPem(pair.certificatePem);
    if (bytes === undefined || isDue(pair, nowMs()) || !isIssuedBy(bytes, authority, nowMs())) return false;
    const certificate = new X509Certificate(bytes);
    const has = (name: string): boolean =>
      (parseAddress(name) === undefined ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
    return certificate.checkPrivateKey(createPrivateKey(pair.keyPem)) && alternativeNames.every(has);
  } catch {
    return false;
  }
}
