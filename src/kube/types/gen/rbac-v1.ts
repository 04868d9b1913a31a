// Written by scripts/generate-kube-types.ts from the OpenAPI specification of Kubernetes 1.34. Do not edit.
import type { LabelSelector } from './meta-v1.ts';
import type { Resource } from '../../resource.ts';

export interface AggregationRule {
  clusterRoleSelectors?: LabelSelector[];
}

export interface ClusterRole extends Resource {
  aggregationRule?: AggregationRule;
  rules?: PolicyRule[];
}

export interface ClusterRoleBinding extends Resource {
  roleRef?: RoleRef;
  subjects?: Subject[];
}

export interface PolicyRule {
  apiGroups?: string[];
  nonResourceURLs?: string[];
  resourceNames?: string[];
  resources?: string[];
  verbs?: string[];
}

export interface Role extends Resource {
  rules?: PolicyRule[];
}

export interface RoleBinding extends Resource {
  roleRef?: RoleRef;
  subjects?: Subject[];
}

export interface RoleRef {
  apiGroup?: string;
  kind?: string;
  name?: string;
}

export interface Subject {
  apiGroup?: string;
  kind?: string;
  name?: string;
  namespace?: string;
}
