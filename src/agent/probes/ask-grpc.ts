import { connect, constants } from 'node:http2';

import { deadline } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import { frameMessage } from '#formats/grpc/frames.ts';

import type { ProbeResult } from './probe-result.ts';

/** Bytes of an answer: a status of one byte in a frame. */
const answerMost = 4096;
const frameHeader = 5;
const serving = 1;

/** Asks grpc.health.v1.Health/Check without TLS whether a service is SERVING; '' asks for all of the server. */
export async function askGrpc(
  host: string,
  port: number,
  service: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const limit = deadline(timeoutMs, signal);
  const where = `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
  try {
    const status = await check(where, service, limit);
    return status === serving
      ? { ok: true, message: 'service healthy' }
      : { ok: false, message: `service unhealthy (responded with "${statusName(status)}")` };
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted)
      return {
        ok: false,
        message: `timeout: failed to connect service "${where}" within ${String(timeoutMs / 1000)}s: context deadline exceeded`,
      };
    return { ok: false, message: `error: ${messageOf(error)}` };
  }
}

async function check(where: string, service: string, signal: AbortSignal): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const session = connect(`http://${where}`);
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  session.on('error', reject);
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: '/grpc.health.v1.Health/Check',
    'content-type': 'application/grpc',
    'user-agent': 'kube-probe/1.34',
    te: 'trailers',
  });
  const parts: Buffer[] = [];
  let fault = '';
  const note = (headers: { readonly 'grpc-status'?: string; readonly 'grpc-message'?: string }): void => {
    const { 'grpc-status': code = '0', 'grpc-message': said = '' } = headers;
    if (code !== '0') fault = `rpc error: code = ${code} desc = ${said}`;
  };
  stream.on('response', note);
  stream.on('trailers', note);
  stream.on('data', (bytes: Buffer) => {
    if (parts.reduce((sum, part) => sum + part.length, 0) < answerMost) parts.push(bytes);
  });
  stream.on('error', reject);
  stream.on('close', () => (fault === '' ? resolve(statusOf(Buffer.concat(parts))) : reject(new Error(fault))));
  stream.end(requestOf(service));
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    stream.on('error', () => {});
    session.on('error', () => {});
    session.destroy();
  }
}

/** HealthCheckRequest: its first field is the service. */
function requestOf(service: string): Buffer {
  const name = Buffer.from(service);
  if (name.length === 0) return frameMessage(name);
  const length = name.length < 128 ? [name.length] : [(name.length & 0x7f) | 0x80, name.length >> 7];
  return frameMessage(Buffer.concat([Buffer.from([0x0a, ...length]), name]));
}

/** HealthCheckResponse: its first field is the status. */
function statusOf(bytes: Buffer): number {
  return bytes[frameHeader] === 0x08 ? (bytes[frameHeader + 1] ?? 0) : 0;
}

function statusName(status: number): string {
  return ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'][status] ?? String(status);
}
