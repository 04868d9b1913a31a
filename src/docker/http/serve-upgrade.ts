import { once } from 'node:events';
import { STATUS_CODES } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

import { after } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';

import { errorReply, resolveTarget } from './dispatcher.ts';
import type { Headers } from './headers.ts';
import type { EmptyReply, Reply, ValueReply } from './reply.ts';
import type { Service } from './serve-request.ts';
import { callOf } from './serve-request.ts';
import { SocketReader } from './socket-reader.ts';

/** How long an ended connection may stay open for a client that does not close its side. */
const lingerMs = 10_000;

/** Answers a request that asks for the raw connection (`Upgrade: tcp`); never rejects. */
export async function serveUpgrade(
  service: Service,
  request: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const fields = { method: request.method, url: request.url };
  try {
    const target = resolveTarget(service.routes, request.method ?? '', request.url ?? '');
    const reader = new SocketReader(socket, head);
    const body = reader.take(bodyLength(request));
    const reply = await target.route.handle(callOf(target, request, body), signal);
    // Some clients send a body where none is wanted; the stream begins behind it.
    for await (const _ of body);
    await send(service, reply, { socket, head, reader }, signal);
  } catch (error) {
    if (!signal.aborted)
      await sendPlain(service, errorReply(error, service.logger, fields), socket, signal).catch(() => {});
  } finally {
    finish(socket);
  }
}

/** Says that no more comes and waits for the client to do the same: closing over unread input would reset the client. */
function finish(socket: Duplex): void {
  socket.end();
  socket.removeAllListeners('readable');
  socket.resume();
  const linger = after(lingerMs, () => socket.destroy());
  socket.once('close', () => linger[Symbol.dispose]());
}

async function send(
  service: Service,
  reply: Reply,
  { socket, head, reader }: { readonly socket: Duplex; readonly head: Uint8Array; readonly reader: SocketReader },
  signal: AbortSignal,
): Promise<void> {
  switch (reply.kind) {
    case 'value':
    case 'empty':
      return await sendPlain(service, reply, socket, signal);
    case 'stream':
      throw new StatusError('InvalidArgument', 'Cannot upgrade this connection: the endpoint answers with plain HTTP');
    case 'handover': {
      const upgrade = { Connection: 'Upgrade', Upgrade: reply.protocol };
      await write(socket, headOf('101 Switching Protocols', { ...upgrade, ...service.headers }), signal);
      if (head.length > 0) socket.unshift(head);
      // The other protocol has no half-open connections: where the client has ended, it is gone.
      socket.allowHalfOpen = false;
      socket.once('end', () => socket.destroy());
      return await reply.run(socket, signal);
    }
    case 'hijack': {
      const upgrade = { Connection: 'Upgrade', Upgrade: 'tcp', 'Content-Type': reply.contentType };
      await write(socket, headOf('101 UPGRADED', { ...upgrade, ...service.headers }), signal);
      const connection = { input: reader.remainder(), write: (bytes: Uint8Array) => write(socket, bytes, signal) };
      try {
        await reply.run(connection, signal);
      } catch (error) {
        if (!signal.aborted) service.logger.warn('a raw stream ended early', { error });
      }
    }
  }
}

async function sendPlain(
  service: Service,
  reply: ValueReply | EmptyReply,
  socket: Duplex,
  signal: AbortSignal,
): Promise<void> {
  const body = reply.kind === 'value' ? reply.body : '';
  const type: Headers = reply.kind === 'value' ? { 'Content-Type': reply.contentType } : {};
  const length = { 'Content-Length': String(Buffer.byteLength(body)), Connection: 'close' };
  const head = headOf(`${String(reply.status)} ${STATUS_CODES[reply.status] ?? ''}`, {
    ...service.headers,
    ...type,
    ...length,
    ...reply.headers,
  });
  await write(socket, Buffer.from(head + body), signal);
}

function headOf(status: string, headers: Headers): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`;
}

async function write(socket: Duplex, bytes: Uint8Array | string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (!socket.write(bytes)) await once(socket, 'drain', { signal });
}

function bodyLength(request: IncomingMessage): number {
  if (request.headers['transfer-encoding'] !== undefined) {
    throw new StatusError('InvalidArgument', 'Cannot upgrade this connection: send the body with a Content-Length');
  }
  const length = Number(request.headers['content-length'] ?? '0');
  if (Number.isSafeInteger(length) && length >= 0) return length;
  throw new StatusError('InvalidArgument', 'Cannot read the request: bad Content-Length');
}
