import { connect } from 'node:net';

import { deadline } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';

import type { ProbeResult } from './probe-result.ts';

/** Whether somebody listens. */
export async function askTcp(host: string, port: number, timeoutMs: number, signal: AbortSignal): Promise<ProbeResult> {
  const limit = deadline(timeoutMs, signal);
  const { promise, resolve } = Promise.withResolvers<ProbeResult>();
  const where = `dial tcp ${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
  const socket = connect({ host, port, signal: limit });
  socket.on('connect', () => resolve({ ok: true, message: '' }));
  socket.on('error', (error) => {
    resolve({ ok: false, message: `${where}: ${limit.aborted ? 'i/o timeout' : messageOf(error)}` });
  });
  try {
    return await promise;
  } finally {
    socket.destroy();
    signal.throwIfAborted();
  }
}
