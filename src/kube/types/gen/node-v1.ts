// Written by scripts/generate-kube-types.ts from the OpenAPI specification of Kubernetes 1.34. Do not edit.
import type { Resource } from '../../resource.ts';
import type { Toleration } from './core-v1.ts';

export interface Overhead {
  podFixed?: Record<string, string>;
}

export interface RuntimeClass extends Resource {
  handler?: string;
  overhead?: Overhead;
  scheduling?: Scheduling;
}

export interface Scheduling {
  nodeSelector?: Record<string, string>;
  tolerations?: Toleration[];
}
