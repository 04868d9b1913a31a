import { release } from 'node:os';

import { hostPlatform } from '#engine/build/platform.ts';

import type { Context } from '../context.ts';
import { formatVersion, maximumApiVersion, minimumApiVersion } from '../http/api-version.ts';

/** GET /version. */
export function systemVersion({ versionInfo }: Context): object {
  const { version, gitCommit = '', buildTime = '' } = versionInfo;
  const apiVersion = formatVersion(maximumApiVersion);
  const minimumVersion = formatVersion(minimumApiVersion);
  const kernel = release();
  const { architecture } = hostPlatform();
  const details = {
    ApiVersion: apiVersion,
    MinAPIVersion: minimumVersion,
    Arch: architecture,
    BuildTime: buildTime,
    Experimental: 'false',
    GitCommit: gitCommit,
    KernelVersion: kernel,
    Os: 'linux',
  };
  return {
    Platform: { Name: 'Slipway' },
    Components: [
      { Name: 'Engine', Version: version, Details: details },
      { Name: 'node', Version: process.versions.node, Details: {} },
    ],
    Version: version,
    ApiVersion: apiVersion,
    MinAPIVersion: minimumVersion,
    GitCommit: gitCommit,
    // Clients print the field; what runs us is not Go.
    GoVersion: `node${process.versions.node}`,
    Os: 'linux',
    Arch: architecture,
    KernelVersion: kernel,
    BuildTime: buildTime,
  };
}
