import { every } from '#base/clock.ts';
import { readCertificate } from '#formats/x509/certificate.ts';
import { certificatesOfPem } from '#formats/x509/pem.ts';
import type { CertificateSigningRequest } from '#kube/types/gen/certificates-v1.ts';

import type { Objects } from '../auth/objects.ts';
import { isReason } from './ensure.ts';

/** Upstream's ages (controller/certificates/cleaner/cleaner.go). */
const hourMs = 60 * 60_000;
const pendingMostMs = 24 * hourMs;
const decidedMostMs = hourMs;
const periodMs = 10 * 60_000;

const requests = { group: 'certificates.k8s.io', resource: 'certificatesigningrequests' };

/** Deletes requests for certificates that nobody looks at any more, every 10 minutes until the signal aborts. */
export function startCertificateCleaner(
  objects: Objects,
  nowMs: () => number,
  onError: (error: unknown) => void,
  signal: AbortSignal,
): void {
  const timer = every(periodMs, () => {
    cleanRequests(objects, nowMs(), signal).catch((error: unknown) => (signal.aborted ? undefined : onError(error)));
  });
  signal.addEventListener('abort', () => timer[Symbol.dispose](), { once: true });
}

/** One round of it. */
export async function cleanRequests(objects: Objects, nowMs: number, signal: AbortSignal): Promise<void> {
  for (const request of await objects.list(requests, '', signal)) {
    if (!isStale(request, nowMs)) continue;
    await objects.delete(requests, request, signal).catch((error: unknown) => {
      if (!isReason(error, 'Conflict', 'NotFound')) throw error;
    });
  }
}

/** Whether a request was decided an hour ago, is undecided for a day, or has a certificate that has expired. */
export function isStale({ metadata, status = {} }: CertificateSigningRequest, nowMs: number): boolean {
  const { conditions = [], certificate = '' } = status;
  if (conditions.length === 0) return isOlder(metadata.creationTimestamp ?? undefined, pendingMostMs, nowMs);
  if (conditions.some(({ lastUpdateTime }) => isOlder(lastUpdateTime, decidedMostMs, nowMs))) return true;
  return certificate !== '' && hasExpired(Buffer.from(certificate, 'base64').toString('latin1'), nowMs);
}

function isOlder(time: string | undefined, ageMs: number, nowMs: number): boolean {
  return time !== undefined && nowMs - Date.parse(time) > ageMs;
}

/** What cannot be read is left to the age of its condition. */
function hasExpired(pem: string, nowMs: number): boolean {
  try {
    return certificatesOfPem(pem).some((bytes) => readCertificate(bytes).notAfterMs < nowMs);
  } catch {
    return false;
  }
}
