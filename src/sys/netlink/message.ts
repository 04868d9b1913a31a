import { align, decodeAttributes, readText } from './attributes.ts';

/** A netlink message without its header (struct nlmsghdr). */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly payload: Buffer;
}

/** What an NLMSG_ERROR says: errno 0 is an acknowledgement; `detail` is the kernel's extended text or ''. */
export interface NetlinkOutcome {
  readonly errno: number;
  readonly detail: string;
}

export const messageTypes = { noop: 1, error: 2, done: 3 } as const;
export const messageFlags = {
  request: 0x1,
  acknowledge: 0x4,
  dumpInterrupted: 0x10,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  dump: 0x300,
  cappedRequest: 0x100,
  extendedAcknowledge: 0x200,
} as const;

const headerSizeBytes = 16;
const errorSizeBytes = 4;

export function encodeMessage(message: NetlinkMessage): Buffer {
  const bytes = Buffer.alloc(align(headerSizeBytes + message.payload.length));
  bytes.writeUInt32LE(headerSizeBytes + message.payload.length, 0);
  bytes.writeUInt16LE(message.type, 4);
  bytes.writeUInt16LE(message.flags, 6);
  bytes.writeUInt32LE(message.sequence, 8);
  bytes.set(message.payload, headerSizeBytes);
  return bytes;
}

/** The messages of one datagram; stops at the first that does not fit. */
export function decodeMessages(datagram: Buffer): readonly NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  let offset = 0;
  while (offset + headerSizeBytes <= datagram.length) {
    const sizeBytes = datagram.readUInt32LE(offset);
    if (sizeBytes < headerSizeBytes || offset + sizeBytes > datagram.length) break;
    messages.push({
      type: datagram.readUInt16LE(offset + 4),
      flags: datagram.readUInt16LE(offset + 6),
      sequence: datagram.readUInt32LE(offset + 8),
      payload: datagram.subarray(offset + headerSizeBytes, offset + sizeBytes),
    });
    offset += align(sizeBytes);
  }
  return messages;
}

/** Reads the payload of NLMSG_ERROR or NLMSG_DONE; a payload too short to hold a number counts as success. */
export function decodeOutcome(message: NetlinkMessage): NetlinkOutcome {
  if (message.payload.length < errorSizeBytes) return { errno: 0, detail: '' };
  const errno = -message.payload.readInt32LE(0);
  if ((message.flags & messageFlags.extendedAcknowledge) === 0) return { errno, detail: '' };
  // After an error comes the header of the request (and its payload unless capped), after DONE the attributes at once.
  let offset = errorSizeBytes;
  if (message.type === messageTypes.error) {
    const capped = (message.flags & messageFlags.cappedRequest) !== 0;
    const requestSizeBytes = message.payload.length >= 8 ? message.payload.readUInt32LE(errorSizeBytes) : 0;
    offset += capped ? headerSizeBytes : align(requestSizeBytes);
  }
  const detailType = 1;
  return { errno, detail: readText(decodeAttributes(message.payload.subarray(offset)).get(detailType)) };
}
