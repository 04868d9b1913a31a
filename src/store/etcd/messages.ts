import { many, message, one } from '#formats/protobuf/message.ts';

/** Messages of etcd 3.4's `rpc.proto` and `kv.proto`, as far as we use them. */

const header = message({ revision: one(3, 'int64') });

const keyValue = message({
  key: one(1, 'bytes'),
  modRevision: one(3, 'int64'),
  /** 1 when the key was new. */
  version: one(4, 'int64'),
  value: one(5, 'bytes'),
});

const rangeRequest = message({
  key: one(1, 'bytes'),
  rangeEnd: one(2, 'bytes'),
  limit: one(3, 'int64'),
  revision: one(4, 'int64'),
});

const rangeResponse = message({
  header: one(1, header),
  kvs: many(2, keyValue),
  more: one(3, 'bool'),
  /** In the range, whatever the limit is. */
  count: one(4, 'int64'),
});

const putRequest = message({ key: one(1, 'bytes'), value: one(2, 'bytes'), lease: one(3, 'int64') });

const operation = message({
  range: one(1, rangeRequest),
  put: one(2, putRequest),
  deleteRange: one(3, message({ key: one(1, 'bytes') })),
});

const compare = message({
  /** 0: equal. */
  result: one(1, 'int32'),
  target: one(2, 'int32'),
  key: one(3, 'bytes'),
  modRevision: one(6, 'int64'),
});

/** `Compare.CompareTarget` MOD: the revision of the key's latest write, 0 when it is not there. */
export const compareModRevision = 2;
/** `Event.EventType` DELETE. */
export const deleteEvent = 1;

export const rangeMethod = { path: '/etcdserverpb.KV/Range', request: rangeRequest, reply: rangeResponse };

export const transactionMethod = {
  path: '/etcdserverpb.KV/Txn',
  request: message({ compare: many(1, compare), success: many(2, operation), failure: many(3, operation) }),
  reply: message({
    header: one(1, header),
    succeeded: one(2, 'bool'),
    responses: many(3, message({ range: one(1, rangeResponse) })),
  }),
};

export const compactMethod = {
  path: '/etcdserverpb.KV/Compact',
  request: message({ revision: one(1, 'int64') }),
  reply: message({ header: one(1, header) }),
};

export const grantMethod = {
  path: '/etcdserverpb.Lease/LeaseGrant',
  request: message({ ttl: one(1, 'int64') }),
  reply: message({ header: one(1, header), id: one(2, 'int64') }),
};

export const watchPath = '/etcdserverpb.Watch/Watch';

export const watchRequest = message({
  create: one(
    1,
    message({
      key: one(1, 'bytes'),
      rangeEnd: one(2, 'bytes'),
      startRevision: one(3, 'int64'),
      progressNotify: one(4, 'bool'),
      prevKv: one(6, 'bool'),
    }),
  ),
});

export const watchEvent = message({ type: one(1, 'int32'), kv: one(2, keyValue), prevKv: one(3, keyValue) });

export const watchResponse = message({
  header: one(1, header),
  created: one(3, 'bool'),
  canceled: one(4, 'bool'),
  compactRevision: one(5, 'int64'),
  cancelReason: one(6, 'string'),
  events: many(11, watchEvent),
});
