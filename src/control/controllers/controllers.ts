import type { Controller } from '../controller.ts';
import { claimBinder } from './claim-binder.ts';
import { cronJobController } from './cron-job.ts';
import { daemonSetController } from './daemon-set.ts';
import { deploymentController } from './deployment.ts';
import { disruptionController } from './disruption.ts';
import { endpointSliceController } from './endpoint-slice.ts';
import { endpointsController } from './endpoints.ts';
import { ephemeralVolumeController } from './ephemeral-volume.ts';
import { jobController } from './job.ts';
import { endpointSliceMirroringController } from './mirror-endpoints.ts';
import { nodeLifecycleController } from './node-lifecycle.ts';
import { podGarbageController } from './pod-garbage.ts';
import { replicaSetController } from './replica-set.ts';
import { replicationControllerController } from './replication-controller.ts';
import { statefulSetController } from './stateful-set.ts';
import { claimProtection, volumeProtection } from './storage-protection.ts';
import { taintEvictionController } from './taint-eviction.ts';
import { ttlAfterFinishedController } from './ttl-after-finished.ts';
import { volumePhaseController } from './volume-phase.ts';

/** All controllers of a cluster. */
export const controllers: readonly Controller[] = [
  endpointsController,
  endpointSliceController,
  endpointSliceMirroringController,
  deploymentController,
  replicaSetController,
  replicationControllerController,
  statefulSetController,
  daemonSetController,
  jobController,
  cronJobController,
  disruptionController,
  ttlAfterFinishedController,
  nodeLifecycleController(),
  taintEvictionController,
  podGarbageController,
  claimBinder,
  ephemeralVolumeController,
  volumePhaseController,
  claimProtection,
  volumeProtection,
];
