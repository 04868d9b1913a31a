import type { Logger } from '#base/logger.ts';
import type { Resource } from '#kube/resource.ts';

import type { Auth } from '../auth/open-auth.ts';
import type { Call } from '../http/call.ts';
import type { ResourceRequest } from '../http/request-info.ts';
import type { ResourceTable } from '../resources/resource-table.ts';
import type { ServedResource } from '../resources/served-resource.ts';
import type { WriteContext } from '../writes/write-options.ts';
import type { NodeAgent } from './node-agent.ts';

/** What handlers of requests work with. */
export interface ApiContext extends WriteContext {
  readonly resources: ResourceTable;
  /** Reaches containers; undefined: there is no node. */
  readonly agent: NodeAgent | undefined;
  /** Answers reviews and makes tokens. */
  readonly auth: Pick<Auth, 'review' | 'createToken' | 'authorizer'>;
  readonly logger: Logger;
}

/** A call for objects of a resource that is served. */
export interface ResourceCall {
  readonly call: Call<ResourceRequest>;
  readonly resource: ServedResource;
}

/** An object as JSON, whose metadata is there. */
export function asResource(value: Record<string, unknown>): Resource {
  return { ...value, metadata: (value['metadata'] ?? {}) as Resource['metadata'] } as Resource;
}
