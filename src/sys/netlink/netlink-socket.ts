import { SystemError } from '../errno.ts';
import { systemCall } from '../ffi.ts';
import {
  decodeMessages,
  decodeOutcome,
  encodeMessage,
  messageFlags,
  messageTypes,
  type NetlinkMessage,
} from './message.ts';

const constants = {
  AF_NETLINK: 16,
  SOCK_RAW: 3,
  SOCK_CLOEXEC: 0o2000000,
  SOL_SOCKET: 1,
  SO_RCVTIMEO: 20,
  SO_SNDBUFFORCE: 32,
  SO_RCVBUFFORCE: 33,
  SOL_NETLINK: 270,
};
const netlinkOptions = { capAck: 10, extAck: 11, strictCheck: 12 };

/** The kernel answers within the call that asks; this much silence means that it never will. */
const receiveTimeoutSeconds = 5n;
/** The kernel fills at most 32 KiB of a listing at once. */
const receiveBufferSizeBytes = 64 * 1024;
/** How often a listing that changed under our hands is taken anew. */
const maximumDumpAttempts = 10;

const socket = systemCall('int socket(int domain, int type, int protocol)');
const setsockopt = systemCall('int setsockopt(int fd, int level, int name, const void *value, uint32_t size)');
const send = systemCall('int64_t send(int fd, const void *bytes, size_t size, int flags)');
const recv = systemCall('int64_t recv(int fd, void *bytes, size_t size, int flags)');
const close = systemCall('int close(int fd)');

/** A request that the kernel refused; the message carries its extended explanation when it gives one. */
export class NetlinkError extends SystemError {
  readonly detail: string;

  constructor(request: string, errno: number, detail: string) {
    super('netlink', errno, request);
    this.detail = detail;
    if (detail !== '') this.message += ` (${detail})`;
  }
}

/** One request: what the error is to say (`request`, such as `add link eth0`), and what the kernel is to do. */
export interface NetlinkRequest {
  readonly request: string;
  readonly type: number;
  readonly flags?: number;
  readonly payload: Buffer;
}

/**
 * A netlink socket. It serves for life the network namespace in which it was opened, whatever namespace the thread is in
 * later. Requests are synchronous: the kernel answers in microseconds.
 */
export class NetlinkSocket implements Disposable {
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafe(receiveBufferSizeBytes);
  #sequence = 0;
  #open = true;

  /** `protocol`: NETLINK_ROUTE (0), NETLINK_NETFILTER (12). `bufferSizeBytes`: for batches beyond the usual 200 KiB. */
  constructor(protocol: number, bufferSizeBytes?: number) {
    const { AF_NETLINK, SOCK_RAW, SOCK_CLOEXEC, SOL_NETLINK, SOL_SOCKET } = constants;
    const { SO_RCVTIMEO, SO_SNDBUFFORCE, SO_RCVBUFFORCE } = constants;
    this.#fd = socket('netlink', AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    const on = Buffer.from([1, 0, 0, 0]);
    for (const option of [netlinkOptions.capAck, netlinkOptions.extAck, netlinkOptions.strictCheck]) {
      setsockopt('netlink', this.#fd, SOL_NETLINK, option, on, on.length);
    }
    const timeout = Buffer.alloc(16);
    timeout.writeBigInt64LE(receiveTimeoutSeconds);
    setsockopt('netlink', this.#fd, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.length);
    if (bufferSizeBytes === undefined) return;
    const size = Buffer.alloc(4);
    size.writeUInt32LE(bufferSizeBytes);
    for (const option of [SO_SNDBUFFORCE, SO_RCVBUFFORCE]) {
      setsockopt('netlink', this.#fd, SOL_SOCKET, option, size, size.length);
    }
  }

  /** Does it; throws NetlinkError when the kernel refuses. Returns the payloads of the messages that come before the acknowledgement. */
  run(request: NetlinkRequest): readonly Buffer[] {
    return this.#exchange(request, messageFlags.acknowledge | (request.flags ?? 0)).payloads;
  }

  /** A whole listing, taken anew when something changed meanwhile. */
  dump(request: NetlinkRequest): readonly Buffer[] {
    let answer = this.#exchange(request, messageFlags.dump);
    for (let attempt = 1; answer.interrupted && attempt < maximumDumpAttempts; attempt += 1) {
      answer = this.#exchange(request, messageFlags.dump);
    }
    return answer.payloads;
  }

  /**
   * Requests between `begin` and `end` as one transaction (nfnetlink batches): all of them happen, or nothing does and the
   * first refusal is thrown.
   */
  runBatch(begin: NetlinkRequest, requests: readonly NetlinkRequest[], end: NetlinkRequest): void {
    const sequences = new Map<number, string>();
    const encoded = [begin, ...requests, end].map((one, index, all) => {
      this.#sequence += 1;
      const isFrame = index === 0 || index === all.length - 1;
      if (!isFrame) sequences.set(this.#sequence, one.request);
      const flags = (one.flags ?? 0) | messageFlags.request | (isFrame ? 0 : messageFlags.acknowledge);
      return encodeMessage({ type: one.type, flags, sequence: this.#sequence, payload: one.payload });
    });
    const bytes = Buffer.concat(encoded);
    send(begin.request, this.#fd, bytes, bytes.length, 0);
    let failure: NetlinkError | undefined;
    while (sequences.size > 0) {
      for (const message of this.#receive(begin.request)) {
        const name = sequences.get(message.sequence);
        if (name === undefined || message.type !== messageTypes.error) continue;
        sequences.delete(message.sequence);
        const { errno, detail } = decodeOutcome(message);
        if (errno !== 0) failure ??= new NetlinkError(name, errno, detail);
      }
    }
    if (failure !== undefined) throw failure;
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    close('netlink', this.#fd);
  }

  #receive(name: string): readonly NetlinkMessage[] {
    const sizeBytes = recv(name, this.#fd, this.#buffer, this.#buffer.length, 0);
    return decodeMessages(this.#buffer.subarray(0, sizeBytes));
  }

  #exchange(request: NetlinkRequest, flags: number): { payloads: readonly Buffer[]; interrupted: boolean } {
    this.#sequence += 1;
    const { request: name, type, payload } = request;
    const bytes = encodeMessage({ type, flags: flags | messageFlags.request, sequence: this.#sequence, payload });
    send(name, this.#fd, bytes, bytes.length, 0);
    const payloads: Buffer[] = [];
    let interrupted = false;
    for (;;) {
      for (const message of this.#receive(name)) {
        if (message.sequence !== this.#sequence) continue;
        if ((message.flags & messageFlags.dumpInterrupted) !== 0) interrupted = true;
        if (message.type === messageTypes.error || message.type === messageTypes.done) {
          const { errno, detail } = decodeOutcome(message);
          if (errno !== 0) throw new NetlinkError(name, errno, detail);
          return { payloads, interrupted };
        }
        payloads.push(Buffer.from(message.payload));
      }
    }
  }
}

/** A socket for links, addresses, routes and neighbours of the current network namespace. */
export function openRouteSocket(): NetlinkSocket {
  const netlinkRoute = 0;
  return new NetlinkSocket(netlinkRoute);
}
