import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

import type { TarEntryType } from '#formats/tar-entry.ts';

import { toolPath } from './tools.ts';

const blockBytes = 512;
const typeFlags: Partial<Record<TarEntryType, string>> = { file: '0', symlink: '2', directory: '5' };

interface Member {
  readonly path: string;
  readonly type: 'file' | 'symlink' | 'directory';
  readonly mode: number;
  readonly body?: Uint8Array;
  readonly linkTarget?: string;
}

/**
 * The root filesystem of a tiny image as an uncompressed tar, the same bytes every time: the machine's static busybox
 * (Debian package busybox-static) as /bin/busybox with a symlink for each applet in /bin, /etc/passwd, /etc/group,
 * /tmp, /root and /var. Written without `formats/tar`, so that it is an independent input for it.
 */
export async function* busyboxTar(): AsyncGenerator<Uint8Array, void, undefined> {
  for (const member of await busyboxMembers()) {
    yield header(member);
    const { body } = member;
    if (body === undefined) continue;
    yield body;
    yield new Uint8Array((blockBytes - (body.length % blockBytes)) % blockBytes);
  }
  yield new Uint8Array(2 * blockBytes);
}

async function busyboxMembers(): Promise<readonly Member[]> {
  const busyboxPath = toolPath('busybox');
  const { stdout } = await promisify(execFile)(busyboxPath, ['--list']);
  const applets = stdout.split('\n').filter((name) => name !== '' && name !== 'busybox');
  const text = new TextEncoder();
  const folder = (path: string, mode = 0o755): Member => ({ path: `${path}/`, type: 'directory', mode });
  const file = (path: string, body: Uint8Array, mode = 0o644): Member => ({ path, type: 'file', mode, body });
  return [
    folder('bin'),
    file('bin/busybox', await readFile(busyboxPath), 0o755),
    ...applets.sort().map((name): Member => ({
      path: `bin/${name}`,
      type: 'symlink',
      mode: 0o777,
      linkTarget: 'busybox',
    })),
    folder('etc'),
    file('etc/group', text.encode('root:x:0:\nstaff:x:50:\nnogroup:x:65534:\n')),
    file(
      'etc/passwd',
      text.encode('root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n'),
    ),
    folder('root', 0o700),
    folder('tmp', 0o1777),
    folder('var'),
  ];
}

/** A ustar header (POSIX.1-1988); names here are shorter than its 100 bytes. */
function header(member: Member): Uint8Array {
  const block = Buffer.alloc(blockBytes);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
  block.write(member.path, 0);
  block.write(octal(member.mode, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(member.body?.length ?? 0, 12), 124);
  block.write(octal(0, 12), 136);
  block.write(' '.repeat(8), 148);
  block.write(typeFlags[member.type] ?? '0', 156);
  block.write(member.linkTarget ?? '', 157);
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
