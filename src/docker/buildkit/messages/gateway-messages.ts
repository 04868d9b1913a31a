import { many, map, message, one } from '#formats/protobuf/message.ts';
import { cacheEntry, workerRecord } from './control-messages.ts';

// buildkit: frontend/gateway/pb/gateway.proto, util/apicaps/pb/caps.proto.

const capability = message({ id: one(1, 'string'), enabled: one(2, 'bool') });

export const pongResponse = message({
  frontendApiCaps: many(1, capability),
  llbCaps: many(2, capability),
  workers: many(3, workerRecord),
});

const ref = message({ id: one(1, 'string') });

const result = message({
  ref: one(3, ref),
  refs: one(4, message({ refs: map(1, ref) })),
  metadata: map(10, 'bytes'),
});

export const gatewaySolveRequest = message({
  definition: one(1, 'bytes'),
  frontend: one(2, 'string'),
  frontendOpt: map(3, 'string'),
  cacheImports: many(12, cacheEntry),
  frontendInputs: map(13, 'bytes'),
  evaluate: one(14, 'bool'),
  sourcePolicies: many(15, 'bytes'),
});

export const gatewaySolveResponse = message({ result: one(3, result) });

export const returnRequest = message({
  result: one(1, result),
  error: one(2, message({ code: one(1, 'int32'), message: one(2, 'string') })),
});

export const evaluateRequest = message({ ref: one(1, 'string') });
