import type { Check } from './check.ts';
import { certificates } from './checks/certificates.ts';
import { clock } from './checks/clock.ts';
import { configuration } from './checks/configuration.ts';
import { containerMonitor } from './checks/container-monitor.ts';
import { containerRuntime } from './checks/container-runtime.ts';
import { controlGroups } from './checks/control-groups.ts';
import { diskSpace } from './checks/disk-space.ts';
import { dockerSocket } from './checks/docker-socket.ts';
import { forwardPolicy } from './checks/forward-policy.ts';
import { imageBootstrap } from './checks/image-bootstrap.ts';
import { ipForwarding } from './checks/ip-forwarding.ts';
import { kernelVersion } from './checks/kernel-version.ts';
import { memory } from './checks/memory.ts';
import { openFiles } from './checks/open-files.ts';
import { overlayFilesystem } from './checks/overlay-filesystem.ts';
import { packetFilter } from './checks/packet-filter.ts';
import { volumeSizes } from './checks/volume-sizes.ts';

/** Every check, in the order they are shown: what lies deeper first. */
export const checks: readonly Check[] = [
  kernelVersion,
  controlGroups,
  overlayFilesystem,
  diskSpace,
  memory,
  openFiles,
  clock,
  certificates,
  containerRuntime,
  containerMonitor,
  imageBootstrap,
  volumeSizes,
  packetFilter,
  ipForwarding,
  forwardPolicy,
  dockerSocket,
  configuration,
];
