import type { Attachment } from '#engine/runtime/containers.ts';

import { speaks } from '../http/api-version.ts';
import type { ApiVersion } from '../http/api-version.ts';
import type { Connection } from '../http/connection.ts';
import { frame } from '../http/frames.ts';
import { untilDetached } from './detach-keys.ts';

export interface StreamOptions {
  /** A terminal: raw bytes both ways, and the detach keys end it. Without one, output is framed. */
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly detachKeys: Uint8Array;
}

/** The content type of a container's output; clients before API 1.42 know only one. */
export function streamType(tty: boolean, version: ApiVersion): string {
  const kind = tty || !speaks(version, 42) ? 'raw' : 'multiplexed';
  return `application/vnd.docker.${kind}-stream`;
}

/**
 * Carries bytes between a client and a process until the output ends, the client typed the detach keys (then `detached`
 * is returned) or it went away. The attachment stays the caller's.
 */
export async function streamAttachment(
  connection: Connection,
  attachment: Attachment,
  options: StreamOptions,
  signal: AbortSignal,
): Promise<'ended' | 'detached'> {
  const left = Promise.withResolvers<'detached'>();
  const onAbort = (): void => left.resolve('detached');
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    // A process that reads no more is not the client's fault: what it still sends is dropped.
    if (options.stdin) void pumpInput(connection, attachment, options, onAbort).catch(() => {});
    return await Promise.race([pumpOutput(connection, attachment, options), left.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

async function pumpInput(
  connection: Connection,
  attachment: Attachment,
  options: StreamOptions,
  onDetach: () => void,
): Promise<void> {
  let detached = false;
  const noteDetach = (): void => {
    detached = true;
    onDetach();
  };
  const { tty, detachKeys } = options;
  const input = tty ? untilDetached(connection.input, detachKeys, noteDetach) : connection.input;
  try {
    for await (const chunk of input) await attachment.write(chunk);
  } finally {
    if (!detached) attachment.closeStdin();
  }
}

async function pumpOutput(connection: Connection, attachment: Attachment, options: StreamOptions): Promise<'ended'> {
  for await (const chunk of attachment.output) {
    if (options[chunk.stream]) await connection.write(options.tty ? chunk.bytes : frame(chunk));
  }
  return 'ended';
}
