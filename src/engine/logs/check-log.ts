import { statSync } from 'node:fs';

import { messageOf, StatusError } from '#base/errors.ts';
import type { Logger } from '#base/logger.ts';

import { logAttributes, type LogOrigin, logTag } from './log-origin.ts';
import { invalidOption } from './options/invalid-option.ts';
import { parseLogOptions } from './options/parse-log-options.ts';
import { openSink } from './shipping/open-sink.ts';

/** What a new container's log options would be refused for later. Throws InvalidArgument with Docker's words. */
export function checkLog(origin: LogOrigin, journalSocket: string): void {
  const { target } = parseLogOptions(origin.log);
  logTag(origin);
  logAttributes(origin);
  if (target?.driver === 'journald' && !isThere(journalSocket))
    throw invalidOption('journald is not enabled on this host');
  if (target?.driver !== 'syslog') return;
  const { address, tls } = target;
  const paths = [tls.ca, tls.certificate, tls.key, address !== undefined && 'path' in address ? address.path : ''];
  for (const path of paths)
    if (path !== '' && !isThere(path)) throw invalidOption(`stat ${path}: no such file or directory`);
}

/** With `fluentd-async=false` a container does not start while its receiver is away. Throws Unavailable. */
export async function checkReceiver(
  origin: LogOrigin,
  journalSocket: string,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const { target } = parseLogOptions(origin.log);
  if (target?.driver !== 'fluentd' || !target.connectFirst) return;
  try {
    using _ = await openSink(target, { origin, journalSocket, logger }, signal);
  } catch (error) {
    throw new StatusError('Unavailable', `failed to initialize logging driver: ${messageOf(error)}`, { cause: error });
  }
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
