import { StatusError } from '#base/errors.ts';

/** Turns a file's permission bits into others. */
export interface ModeChange {
  (mode: number, isFolder: boolean): number;
  /** Set when it is the same for every file: then folders that are made on the way have it too, as with BuildKit. */
  readonly fixed?: number;
}

const whoBits: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 };
const permissionBits: Readonly<Record<string, number>> = { r: 0o444, w: 0o222, x: 0o111, s: 0o6000, t: 0o1000, X: 0 };

/** Parses `--chmod`: octal, or symbolic as chmod(1) has it, such as `u=rwX,go-w`. Throws InvalidArgument. */
export function parseModeChange(text: string): ModeChange {
  if (/^[0-9]+$/.test(text)) {
    const mode = /^[0-7]{1,5}$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
    if (Number.isNaN(mode) || mode > 0o7777)
      throw new StatusError(
        'InvalidArgument',
        `invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`,
      );
    return Object.assign(() => mode, { fixed: mode });
  }
  const changes = text.split(',').map((clause) => parseClause(clause, text));
  return (mode, isFolder) => changes.reduce((before, change) => change(before, isFolder), mode);
}

function parseClause(clause: string, text: string): ModeChange {
  const match = /^([ugoa]*)((?:[-+=][rwxXst]*)+)$/.exec(clause);
  if (match === null)
    throw new StatusError(
      'InvalidArgument',
      `invalid chmod parameter: '${text}'. it should be octal, or symbolic such as u=rwX,go-w`,
    );
  const who = [...new Set(match[1] === '' ? 'a' : match[1])].reduce((bits, name) => bits | (whoBits[name] ?? 0), 0);
  const actions = [...(match[2] ?? '').matchAll(/([-+=])([rwxXst]*)/g)];
  return (mode, isFolder) =>
    actions.reduce((before, [, operator = '', names = '']) => {
      const conditional = names.includes('X') && (isFolder || (before & 0o111) !== 0) ? 0o111 : 0;
      const named = Array.from(names).reduce((bits, name) => bits | (permissionBits[name] ?? 0), conditional) & who;
      if (operator === '+') return before | named;
      return operator === '-' ? before & ~named : (before & ~(who & 0o777)) | named;
    }, mode);
}
