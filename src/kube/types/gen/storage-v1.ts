// Written by scripts/generate-kube-types.ts from the OpenAPI specification of Kubernetes 1.34. Do not edit.
import type { LabelSelector } from './meta-v1.ts';
import type { PersistentVolumeSpec, TopologySelectorTerm } from './core-v1.ts';
import type { Resource } from '../../resource.ts';

export interface CSIDriver extends Resource {
  spec?: CSIDriverSpec;
}

export interface CSIDriverSpec {
  attachRequired?: boolean;
  fsGroupPolicy?: string;
  nodeAllocatableUpdatePeriodSeconds?: number;
  podInfoOnMount?: boolean;
  requiresRepublish?: boolean;
  seLinuxMount?: boolean;
  storageCapacity?: boolean;
  tokenRequests?: TokenRequest[];
  volumeLifecycleModes?: string[];
}

export interface CSINode extends Resource {
  spec?: CSINodeSpec;
}

export interface CSINodeDriver {
  allocatable?: VolumeNodeResources;
  name?: string;
  nodeID?: string;
  topologyKeys?: string[];
}

export interface CSINodeSpec {
  drivers?: CSINodeDriver[];
}

export interface CSIStorageCapacity extends Resource {
  capacity?: string;
  maximumVolumeSize?: string;
  nodeTopology?: LabelSelector;
  storageClassName?: string;
}

export interface StorageClass extends Resource {
  allowVolumeExpansion?: boolean;
  allowedTopologies?: TopologySelectorTerm[];
  mountOptions?: string[];
  parameters?: Record<string, string>;
  provisioner?: string;
  reclaimPolicy?: string;
  volumeBindingMode?: string;
}

export interface TokenRequest {
  audience?: string;
  expirationSeconds?: number;
}

export interface VolumeAttachment extends Resource {
  spec?: VolumeAttachmentSpec;
  status?: VolumeAttachmentStatus;
}

export interface VolumeAttachmentSource {
  inlineVolumeSpec?: PersistentVolumeSpec;
  persistentVolumeName?: string;
}

export interface VolumeAttachmentSpec {
  attacher?: string;
  nodeName?: string;
  source?: VolumeAttachmentSource;
}

export interface VolumeAttachmentStatus {
  attachError?: VolumeError;
  attached?: boolean;
  attachmentMetadata?: Record<string, string>;
  detachError?: VolumeError;
}

export interface VolumeAttributesClass extends Resource {
  driverName?: string;
  parameters?: Record<string, string>;
}

export interface VolumeError {
  errorCode?: number;
  message?: string;
  time?: string;
}

export interface VolumeNodeResources {
  count?: number;
}
