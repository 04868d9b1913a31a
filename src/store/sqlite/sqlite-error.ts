import { StatusError } from '#base/errors.ts';

/** Result codes of SQLite (https://sqlite.org/rescode.html); the lowest byte of an extended one. */
const codes = { ioError: 10, corrupt: 11, full: 13, notADatabase: 26 } as const;
/** Extended: the file that readers and writers share in memory could not grow. */
const noRoomForSharedMemory = 4874;

/** An error of the SQLite library as one that the caller can act on; others stay what they are. */
export function ofSqlite(error: unknown, path: string): unknown {
  const code = codeOf(error);
  if (code === undefined) return error;
  if (code === noRoomForSharedMemory || (code & 255) === codes.full)
    return new StatusError('DiskFull', `Cannot write the store "${path}": the disk is full; make room and try again`, {
      cause: error,
    });
  switch (code & 255) {
    case codes.corrupt:
    case codes.notADatabase:
      return damaged(path, 'it is no whole database', error);
    case codes.ioError:
      return new StatusError(
        'Unavailable',
        `Cannot use the store "${path}": its disk fails; what was just written may be there or not; see the kernel's log`,
        { cause: error },
      );
    default:
      return error;
  }
}

/** Whether the disk failed, after which the connection knows nothing for sure. */
export function isDiskFailure(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && code !== noRoomForSharedMemory && (code & 255) === codes.ioError;
}

export function damaged(path: string, what: string, cause?: unknown): StatusError {
  return new StatusError(
    'Damaged',
    `Cannot read the store "${path}": ${what}; slipway store verify tells what is left, slipway store restore FILE puts a backup in its place`,
    { cause },
  );
}

/** The extended result code. */
function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode : undefined;
}
