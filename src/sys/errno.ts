import { constants } from 'node:os';

/** A system call that failed, in the shape of Node's own errors: `code` is `ENOENT` and the like. */
export class SystemError extends Error {
  override readonly name = 'SystemError';
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;

  constructor(syscall: string, errno: number, subject: string) {
    const code = codeOf(errno);
    super(`${syscall}${subject === '' ? '' : ` ${subject}`}: ${code}`);
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
  }
}

/** The name of an error number, such as `ENOENT`; `E<number>` for one that Node does not know. */
function codeOf(errno: number): string {
  for (const [name, value] of Object.entries(constants.errno)) if (value === errno) return name;
  return `E${String(errno)}`;
}

/** Whether a thrown value is a failed system call with one of these codes. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(error.code as string);
}
