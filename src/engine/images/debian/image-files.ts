import type { TarEntry } from '#formats/tar-entry.ts';

/** Makes apt keep nothing that a layer would carry for no use. */
export const aptSettings = `// Packages, indexes and translations are not kept: each would stay in a layer.
APT::Keep-Downloaded-Packages "false";
Acquire::GzipIndexes "true";
Acquire::Languages "none";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
`;

/** Documentation and translations are left out, also of packages that are installed later; licences stay. */
export const dpkgSettings = `path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/info/*
path-exclude=/usr/share/locale/*
path-include=/usr/share/locale/locale.alias
`;

/** No service starts while packages are configured. */
export const policyRcD = '#!/bin/sh\nexit 101\n';

/** What is left over from making the tree, and what the runtime makes itself, with all below it. */
const dropped: readonly RegExp[] = [
  /^(dev|proc|sys|tmp|run)\/./,
  /^var\/lib\/dpkg\/(lock|lock-frontend|.*-old)$/,
  /^etc\/(resolv\.conf|hostname|\.pwd\.lock|(passwd|group|shadow|gshadow)-)$/,
  /^usr\/share\/(info\/|locale\/(?!locale\.alias$))./,
  /^usr\/sbin\/policy-rc\.d$/,
];
/** Folders that stay, without their files. */
const emptied: readonly RegExp[] = [
  /^var\/(log|tmp|cache\/(apt|debconf|ldconfig|man)|lib\/apt\/lists)\//,
  /^usr\/share\/doc\/(?!.*\/copyright$)/,
];
const blanked: readonly string[] = ['etc/machine-id'];

/**
 * How an entry of the bootstrapped tree goes into the image: nothing of what is left over from making it, and no time
 * after `newestNs`, so that the same packages give nearly the same bytes.
 */
export function imageEntry(entry: TarEntry, newestNs: bigint): readonly TarEntry[] {
  const path = entry.path.replace(/^\.?\/+/, '');
  const patterns = entry.type === 'directory' ? dropped : [...dropped, ...emptied];
  if (patterns.some((pattern) => pattern.test(path))) return [];
  const mtimeNs = entry.mtimeNs > newestNs ? newestNs : entry.mtimeNs;
  const sizeBytes = blanked.includes(path) ? 0 : entry.sizeBytes;
  return [{ ...entry, mtimeNs, sizeBytes }];
}

/** The latest `Date` of apt's Release files, nanoseconds since the epoch; 0n when none has one. */
export function releaseTimeNs(releases: readonly string[]): bigint {
  const times = releases.map((text) => Date.parse(/^Date: (.+)$/m.exec(text)?.[1] ?? ''));
  return BigInt(Math.max(0, ...times.filter((time) => Number.isFinite(time)))) * 1_000_000n;
}
