import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

import { giveBack } from '#engine/stream/lend.ts';

import type { Headers } from './headers.ts';

/** Bytes that a streamed reply may hold back for a slow reader before `offer` refuses more. */
const maximumBacklogBytes = 8 * 1024 * 1024;

/** The body of a streamed reply. */
export interface Output {
  /** Whether the status line has left. */
  readonly started: boolean;
  /** Sends status and headers. */
  start(): void;
  /** Resolves when there is room for more. Rejects when the client is gone. */
  write(chunk: Uint8Array | string): Promise<void>;
  /** As `write`, for a chunk that nobody else needs: its memory is given back when it has left. */
  give(chunk: Uint8Array): Promise<void>;
  /**
   * For producers that cannot wait: queues the chunk and returns true, or returns false and drops it when the client is
   * more than 8 MiB behind.
   */
  offer(chunk: Uint8Array | string): boolean;
}

/** A streamed body over Node's response. */
export function responseOutput(response: ServerResponse, headers: Headers, signal: AbortSignal): Output {
  const start = (): void => {
    if (response.headersSent) return;
    response.writeHead(200, headers);
    response.flushHeaders();
  };
  const write = async (chunk: Uint8Array | string, onLeft = (): void => {}): Promise<void> => {
    signal.throwIfAborted();
    start();
    const left = (error: unknown): void => {
      if (error === null || error === undefined) onLeft();
    };
    if (!response.write(chunk, left)) await once(response, 'drain', { signal });
  };
  return {
    get started() {
      return response.headersSent;
    },
    start,
    write: (chunk) => write(chunk),
    give: (chunk) => write(chunk, () => giveBack(chunk)),
    offer(chunk) {
      if (signal.aborted || response.writableLength > maximumBacklogBytes) return false;
      start();
      response.write(chunk);
      return true;
    },
  };
}
