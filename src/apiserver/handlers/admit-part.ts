import type { Resource } from '#kube/resource.ts';

import type { Call } from '../http/call.ts';
import type { ResourceRequest } from '../http/request-info.ts';
import type { ServedResource } from '../resources/served-resource.ts';
import { admissionRequest } from '../writes/write-options.ts';
import type { ApiContext } from './context.ts';
import { writeOptionsOf } from './write-call.ts';

/** Lets admission see the create of a subresource that is no object of its own, such as a token or an eviction; it may change it. */
export async function admitPart(
  context: ApiContext,
  call: Call<ResourceRequest>,
  resource: ServedResource,
  body: Resource,
  signal: AbortSignal,
): Promise<Resource> {
  const { namespace, name } = call.info;
  const [version = '', group = ''] = body.apiVersion.split('/').toReversed();
  const parts = {
    operation: 'CREATE',
    optionsKind: 'CreateOptions',
    namespace,
    name,
    object: body,
    oldObject: undefined,
  } as const;
  const request = {
    ...admissionRequest(resource, writeOptionsOf(call), parts),
    kind: { group, version, kind: body.kind },
  };
  await context.admission.mutate(request, signal);
  await context.admission.validate(request, signal);
  return request.object ?? body;
}
