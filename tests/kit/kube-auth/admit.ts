import assert from 'node:assert/strict';

import { admissionChain, type AdmissionPlugin, type AdmissionRequest } from '#apiserver/admission/admission.ts';
import type { Resource } from '#kube/resource.ts';
import { ApiError } from '#kube/status.ts';
import type { Pod, PodSpec } from '#kube/types/gen/core-v1.ts';

const { signal } = new AbortController();

/** Both phases of one plugin; the refusal's message, or undefined. Anything but an ApiError fails the test. */
export async function admit(plugin: AdmissionPlugin, request: AdmissionRequest): Promise<string | undefined> {
  const chain = admissionChain([plugin]);
  try {
    await chain.mutate(request, signal);
    await chain.validate(request, signal);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof ApiError, String(error));
    return error.message;
  }
}

export function objectOf(kind: string, name: string, parts: Record<string, unknown> = {}, apiVersion = 'v1'): Resource {
  return { apiVersion, kind, metadata: { name, namespace: 'default' }, ...parts };
}

export function podOf(spec: PodSpec = {}): Pod {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'default' }, spec };
}

export function about(group: string, resource: string, kind: string): Pick<AdmissionRequest, 'resource' | 'kind'> {
  return { resource: { group, version: 'v1', resource }, kind: { group, version: 'v1', kind } };
}
