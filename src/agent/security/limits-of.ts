import { parseQuantity, quantityMillis, quantityUnits } from '#formats/quantity.ts';
import type { ResourceLimits } from '#engine/runtime/container.ts';
import type { Container } from '#kube/types/gen/core-v1.ts';

const sharesPerCpu = 1024n;
const sharesLeast = 2n;
const sharesMost = 262_144n;
const periodUs = 100_000n;
const quotaLeastUs = 1000n;

/** Scores of the kernel's killer for want of memory by the pod's class: who asked for nothing goes first. */
const oomScores = { guaranteed: -997, bestEffort: 1000, burstableLeast: 3, burstableMost: 999 };

/** The limits of a container's cgroup: shares of its CPU request, a quota of its CPU limit, its memory limit. */
export function limitsOf({ resources }: Pick<Container, 'resources'>): ResourceLimits {
  const { requests = {}, limits = {} } = resources ?? {};
  const limitMillis = millisOf(limits['cpu']);
  const requestMillis = requests['cpu'] === undefined ? limitMillis : millisOf(requests['cpu']);
  const memoryBytes = Number(bytesOf(limits['memory']));
  return {
    cpuShares: Number(between(sharesLeast, (requestMillis * sharesPerCpu) / 1000n, sharesMost)),
    ...(limitMillis > 0n && {
      cpuPeriodUs: Number(periodUs),
      cpuQuotaUs: Number(between(quotaLeastUs, (limitMillis * periodUs) / 1000n, 2n ** 53n)),
    }),
    // Swap is nobody's: what the limit says is all there is.
    ...(memoryBytes > 0 && { memoryBytes, memorySwapBytes: memoryBytes }),
  };
}

/** How early the kernel ends the container for want of memory, -1000 to 1000; `memoryBytes`: what the machine has. */
export function oomScoreOf(
  { resources }: Pick<Container, 'resources'>,
  qosClass: string | undefined,
  memoryBytes: number,
): number {
  if (qosClass === 'Guaranteed') return oomScores.guaranteed;
  if (qosClass !== 'Burstable') return oomScores.bestEffort;
  const request = bytesOf(resources?.requests?.['memory'] ?? resources?.limits?.['memory']);
  const score = 1000 - Math.floor((1000 * Number(request)) / memoryBytes);
  return Math.min(Math.max(score, oomScores.burstableLeast), oomScores.burstableMost);
}

function millisOf(quantity: string | undefined): bigint {
  return quantity === undefined ? 0n : quantityMillis(parseQuantity(quantity));
}

function bytesOf(quantity: string | undefined): bigint {
  return quantity === undefined ? 0n : quantityUnits(parseQuantity(quantity));
}

function between(least: bigint, value: bigint, most: bigint): bigint {
  if (value < least) return least;
  return value > most ? most : value;
}
