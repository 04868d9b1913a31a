import { many, map, message, one } from '#formats/protobuf/message.ts';

// buildkit: api/services/control/control.proto, api/types/worker.proto, solver/pb/ops.proto. Only what is read or written here.

export const timestamp = message({ seconds: one(1, 'int64'), nanos: one(2, 'int32') });

const platformMessage = message({
  architecture: one(1, 'string'),
  os: one(2, 'string'),
  variant: one(3, 'string'),
});

const buildkitVersion = message({ package: one(1, 'string'), version: one(2, 'string'), revision: one(3, 'string') });

const gcPolicy = message({ all: one(1, 'bool') });

export const workerRecord = message({
  id: one(1, 'string'),
  labels: map(2, 'string'),
  platforms: many(3, platformMessage),
  gcPolicy: many(4, gcPolicy),
  buildkitVersion: one(5, buildkitVersion),
});

export const nothing = message({});
export const listWorkersResponse = message({ record: many(1, workerRecord) });
export const infoResponse = message({ buildkitVersion: one(1, buildkitVersion) });

export const cacheEntry = message({ type: one(1, 'string'), attrs: map(2, 'string') });

const exporter = message({ type: one(1, 'string'), attrs: map(2, 'string') });

export const solveRequest = message({
  ref: one(1, 'string'),
  definition: one(2, 'bytes'),
  exporterDeprecated: one(3, 'string'),
  exporterAttrsDeprecated: map(4, 'string'),
  session: one(5, 'string'),
  frontend: one(6, 'string'),
  frontendAttrs: map(7, 'string'),
  cache: one(8, message({ exports: many(4, cacheEntry), imports: many(5, cacheEntry) })),
  entitlements: many(9, 'string'),
  frontendInputs: map(10, 'bytes'),
  sourcePolicy: one(12, 'bytes'),
  exporters: many(13, exporter),
  enableSessionExporter: one(14, 'bool'),
});

export const solveResponse = message({ exporterResponse: map(1, 'string') });

export const statusRequest = message({ ref: one(1, 'string') });

const vertex = message({
  digest: one(1, 'string'),
  inputs: many(2, 'string'),
  name: one(3, 'string'),
  cached: one(4, 'bool'),
  started: one(5, timestamp),
  completed: one(6, timestamp),
  error: one(7, 'string'),
});

const vertexStatus = message({
  id: one(1, 'string'),
  vertex: one(2, 'string'),
  name: one(3, 'string'),
  current: one(4, 'int64'),
  total: one(5, 'int64'),
  timestamp: one(6, timestamp),
  started: one(7, timestamp),
  completed: one(8, timestamp),
});

const vertexLog = message({
  vertex: one(1, 'string'),
  timestamp: one(2, timestamp),
  stream: one(3, 'int64'),
  msg: one(4, 'bytes'),
});

const position = message({ line: one(1, 'int32'), character: one(2, 'int32') });
const sourceInfo = message({ filename: one(1, 'string'), data: one(2, 'bytes'), language: one(4, 'string') });

const vertexWarning = message({
  vertex: one(1, 'string'),
  level: one(2, 'int64'),
  short: one(3, 'bytes'),
  detail: many(4, 'bytes'),
  url: one(5, 'string'),
  info: one(6, sourceInfo),
  ranges: many(7, message({ start: one(1, position), end: one(2, position) })),
});

export const statusResponse = message({
  vertexes: many(1, vertex),
  statuses: many(2, vertexStatus),
  logs: many(3, vertexLog),
  warnings: many(4, vertexWarning),
});

export const pruneRequest = message({
  filter: many(1, 'string'),
  all: one(2, 'bool'),
  keepDuration: one(3, 'int64'),
  reservedSpace: one(4, 'int64'),
  maxUsedSpace: one(5, 'int64'),
  minFreeSpace: one(6, 'int64'),
});

export const usageRecord = message({
  id: one(1, 'string'),
  mutable: one(2, 'bool'),
  inUse: one(3, 'bool'),
  size: one(4, 'int64'),
  createdAt: one(6, timestamp),
  lastUsedAt: one(7, timestamp),
  usageCount: one(8, 'int64'),
  description: one(9, 'string'),
  recordType: one(10, 'string'),
  shared: one(11, 'bool'),
  parents: many(12, 'string'),
});

export const diskUsageRequest = message({ filter: many(1, 'string'), ageLimit: one(2, 'int64') });
export const diskUsageResponse = message({ record: many(1, usageRecord) });
