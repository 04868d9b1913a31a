/** Files that may be larger than the law says: tables of data, up to 800 lines. */
export const allowedSizes: Readonly<Record<string, { readonly lines: number; readonly reason: string }>> = {};

/** Uses that a rule of `code-rules.ts` forbids elsewhere, by rule and path. */
export const allowedCode: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'time and chance come from base': {
    'src/base/clock.ts': 'it is the clock',
    'src/base/ids.ts': 'it is the source of chance',
    'src/base/logger.ts': 'a log line carries the real time',
  },
  'nothing is printed past the log or the CLI': {
    'src/sys/pinned-namespace.ts': 'a thread that cannot leave a foreign network namespace must not go on',
  },
  'no work at import': {
    'src/sys/mount-thread.ts': 'it is the main of a thread, and imported by nobody',
    'src/cli/exposed/input-chains-child.ts': 'it is the main of a process, and imported by nobody',
    'src/store/sqlite/write-thread.ts': 'it is the main of a thread, and imported by nobody',
    'src/engine/snapshots/unpack-thread.ts': 'it is the main of a thread, and imported by nobody',
  },
};
