// Written by scripts/generate-kube-types.ts from the OpenAPI specification of Kubernetes 1.34. Do not edit.
import type { Resource } from '../../resource.ts';

export interface PriorityClass extends Resource {
  description?: string;
  globalDefault?: boolean;
  preemptionPolicy?: string;
  value?: number;
}
