import type { Partially } from '../http/decode.ts';
import { mapOf, objectOf } from '../http/decode.ts';
import { configFields, endpointFields } from './config-fields.ts';
import { decodersOf } from './field.ts';
import { hostConfigFields, resourceFields, restartPolicy } from './host-config-fields.ts';

export const endpointSettings = objectOf(decodersOf(endpointFields));

const createFields = {
  ...decodersOf(configFields),
  HostConfig: objectOf(decodersOf(hostConfigFields)),
  NetworkingConfig: objectOf({ EndpointsConfig: mapOf(endpointSettings, {}) }),
};

/** Body of POST /containers/create. */
export const createRequest = objectOf(createFields);
export type CreateRequest = Partially<typeof createFields>;

/** Body of POST /containers/{id}/update. */
export const updateRequest = objectOf({ ...decodersOf(resourceFields), RestartPolicy: restartPolicy });
