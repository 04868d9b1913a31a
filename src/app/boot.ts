import { mkdirSync } from 'node:fs';
import { flushCompileCache } from 'node:module';

import { messageOf, StatusError } from '#base/errors.ts';
import { createLogger, type Logger } from '#base/logger.ts';
import { lockFile } from '#sys/file-lock.ts';

import type { Config } from './config.ts';
import { keepIdleMemorySmall } from './idle-memory.ts';
import type { InstancePaths } from './instance-paths.ts';
import { openLogFile } from './log-file.ts';
import { Platform } from './platform.ts';
import { slipwayVersion } from './version.ts';

export interface BootOptions {
  readonly config: Config;
  readonly paths: InstancePaths;
  /** For PATH and the proxies. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `file`: JSON lines into the instance's log file; `stderr`: for a service manager or a terminal. */
  readonly log: 'file' | 'stderr';
}

/**
 * Runs the daemon of one root until SIGTERM, SIGINT or `slipway down`; containers keep running. Throws Conflict when
 * another daemon has the root.
 */
export async function boot(options: BootOptions): Promise<void> {
  const { config, paths } = options;
  mkdirSync(paths.data, { recursive: true, mode: 0o711 });
  mkdirSync(paths.run, { recursive: true, mode: 0o755 });
  const lock = lockFile(paths.lockFile);
  if ('holderPid' in lock) {
    throw new StatusError(
      'Conflict',
      `Cannot start the daemon of "${paths.root}": process ${String(lock.holderPid)} runs it already; see slipway status`,
    );
  }
  using _lock = lock;
  using owned = new DisposableStack();
  const logger = openLogger(options, owned);
  const stop = new AbortController();
  listenForEnd(logger, stop, owned);
  logger.info('starting', { version: slipwayVersion(), pid: process.pid, root: paths.root });

  await using platform = new Platform({
    config,
    paths,
    logger,
    env: options.env,
    onStop: () => stop.abort(new Error('asked to stop')),
  });
  const stopped = new Promise<void>((resolve) =>
    stop.signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  try {
    await platform.start(stop.signal);
    logger.info('healthy');
    // Else it is written at an end in order only, and a daemon that was killed starts slowly again.
    flushCompileCache();
    owned.use(keepIdleMemorySmall());
    await Promise.race([stopped, platform.died]);
  } catch (error) {
    if (!stop.signal.aborted) logger.error('the daemon ends', { error });
    if (!stop.signal.aborted) throw error;
  }
  logger.info('stopping');
}

function openLogger({ config, paths, log }: BootOptions, owned: DisposableStack): Logger {
  const level = config.log.level;
  if (log === 'file')
    return createLogger({ level, format: 'json', write: owned.use(openLogFile(paths.logFile)).write });
  const format = process.stderr.isTTY ? 'pretty' : 'json';
  return createLogger({ level, format, write: (line) => process.stderr.write(line) });
}

/** Signals end the daemon; a promise that nobody waited for is a defect, but no reason to leave the containers alone. */
function listenForEnd(logger: Logger, stop: AbortController, owned: DisposableStack): void {
  const end = (signal: string): void => stop.abort(new Error(`received ${signal}`));
  const stray = (error: unknown): void => logger.error('unhandled rejection', { error, stack: stackOf(error) });
  process.on('SIGTERM', end).on('SIGINT', end).on('unhandledRejection', stray);
  // A terminal that closes is no reason to end; the log is rotated by size.
  const ignore = (): void => {};
  process.on('SIGHUP', ignore);
  owned.defer(() => {
    process.off('SIGTERM', end).off('SIGINT', end).off('SIGHUP', ignore).off('unhandledRejection', stray);
  });
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? messageOf(error)) : messageOf(error);
}
