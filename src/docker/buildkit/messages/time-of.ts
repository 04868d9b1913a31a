import type { Encodable } from '#formats/protobuf/message.ts';

import type { timestamp } from './control-messages.ts';

/** Milliseconds since the epoch as `google.protobuf.Timestamp`. */
export function timeOf(ms: number): Encodable<typeof timestamp> {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: Math.floor((ms % 1000) * 1_000_000) };
}
