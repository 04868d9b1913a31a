import { map, message, one } from '#formats/protobuf/message.ts';

// buildkit: session/auth/auth.proto, session/secrets/secrets.proto, session/sshforward/ssh.proto,
// session/filesync/filesync.proto; fsutil: types/wire.proto, types/stat.proto; grpc: health.proto;
// containerd: api/services/content/v1/content.proto.

export const credentialsRequest = message({ host: one(1, 'string') });
export const credentialsResponse = message({ username: one(1, 'string'), secret: one(2, 'string') });

export const getSecretRequest = message({ id: one(1, 'string') });
export const getSecretResponse = message({ data: one(1, 'bytes') });

export const checkAgentRequest = message({ id: one(1, 'string') });

export const bytesMessage = message({ data: one(1, 'bytes') });

export const contentInfoRequest = message({ digest: one(1, 'string') });
export const contentInfoResponse = message({
  info: one(1, message({ digest: one(1, 'string'), size: one(2, 'int64') })),
});
export const contentReadRequest = message({ digest: one(1, 'string'), offset: one(2, 'int64'), size: one(3, 'int64') });
export const contentReadResponse = message({ offset: one(1, 'int64'), data: one(2, 'bytes') });

/** Values of `contentWriteRequest.action`. */
export const writeActions = { stat: 0, write: 1, commit: 2 } as const;

export const contentWriteRequest = message({
  action: one(1, 'int32'),
  ref: one(2, 'string'),
  total: one(3, 'int64'),
  expected: one(4, 'string'),
  offset: one(5, 'int64'),
  data: one(6, 'bytes'),
});
export const contentWriteResponse = message({
  action: one(1, 'int32'),
  offset: one(4, 'int64'),
  total: one(5, 'int64'),
  digest: one(6, 'string'),
});

export const nothing = message({});

export const healthResponse = message({ status: one(1, 'int32') });

export const statMessage = message({
  path: one(1, 'string'),
  /** As Go's `os.FileMode` has it. */
  mode: one(2, 'uint32'),
  uid: one(3, 'uint32'),
  gid: one(4, 'uint32'),
  size: one(5, 'int64'),
  modTimeNs: one(6, 'int64'),
  linkName: one(7, 'string'),
  deviceMajor: one(8, 'int64'),
  deviceMinor: one(9, 'int64'),
  xattrs: map(10, 'bytes'),
});

/** Values of `packet.type`. */
export const packetTypes = { stat: 0, request: 1, data: 2, finish: 3, error: 4 } as const;

export const packet = message({
  type: one(1, 'int32'),
  stat: one(2, statMessage),
  id: one(3, 'uint32'),
  data: one(4, 'bytes'),
});
