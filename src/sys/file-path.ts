import { bytesOfText } from '#formats/byte-text.ts';

/** A path for `node:fs`: names that are not UTF-8 (see `textOfBytes`) go as bytes. */
export function fsPath(path: string): string | Buffer {
  return path.isWellFormed() ? path : bytesOfText(path);
}

/** A path for a system call. */
export function cPath(path: string): string | Buffer {
  return path.isWellFormed() ? path : Buffer.concat([bytesOfText(path), Buffer.alloc(1)]);
}
