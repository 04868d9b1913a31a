import { readdirSync, readFileSync } from 'node:fs';

const folder = '/proc/sys/fs/binfmt_misc';

/** ELF machines (elf.h, e_machine) by the names that images use; `big`: the byte order is part of the name. */
const machines: readonly { readonly machine: number; readonly big: boolean; readonly name: string }[] = [
  { machine: 0x03, big: false, name: '386' },
  { machine: 0x08, big: false, name: 'mipsle' },
  { machine: 0x08, big: true, name: 'mips' },
  { machine: 0x15, big: false, name: 'ppc64le' },
  { machine: 0x15, big: true, name: 'ppc64' },
  { machine: 0x16, big: true, name: 's390x' },
  { machine: 0x28, big: false, name: 'arm' },
  { machine: 0x3e, big: false, name: 'amd64' },
  { machine: 0xb7, big: false, name: 'arm64' },
  { machine: 0xf3, big: false, name: 'riscv64' },
  { machine: 0x102, big: false, name: 'loong64' },
];

/**
 * Architectures whose programs the kernel gives to an emulator, in containers too: those registered with binfmt_misc
 * and the flag F, which opens the emulator when it is registered (Documentation/admin-guide/binfmt-misc.rst).
 */
export function emulatedArchitectures(): ReadonlySet<string> {
  let names: readonly string[] = [];
  try {
    names = readdirSync(folder).filter((name) => name !== 'register' && name !== 'status');
    if (readFileSync(`${folder}/status`, 'utf8').trim() !== 'enabled') return new Set();
  } catch {
    // It is not mounted: nothing is registered.
    return new Set();
  }
  return new Set(names.flatMap((name) => architectureOf(readFileSync(`${folder}/${name}`, 'utf8')) ?? []));
}

/** What one registration stands for; undefined when it is off, has no flag F, or is for no ELF file that we know. */
export function architectureOf(registration: string): string | undefined {
  const [state = '', ...lines] = registration.split('\n');
  const field = (name: string): string =>
    lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? '';
  const flags = lines.find((line) => line.startsWith('flags:'))?.slice('flags:'.length) ?? '';
  const magic = Buffer.from(field('magic').trim(), 'hex');
  if (state !== 'enabled' || !flags.includes('F') || field('offset').trim() !== '0') return undefined;
  if (magic.length < 20 || magic.readUInt32BE(0) !== 0x7f454c46) return undefined;
  const big = magic[5] === 2;
  const machine = big ? magic.readUInt16BE(18) : magic.readUInt16LE(18);
  return machines.find((known) => known.machine === machine && known.big === big)?.name;
}
