/** Flags of mount(2) (include/uapi/linux/mount.h). */
export const mountFlags = {
  readOnly: 0x1,
  nosuid: 0x2,
  nodev: 0x4,
  noexec: 0x8,
  synchronous: 0x10,
  remount: 0x20,
  mandatoryLocks: 0x40,
  dirsync: 0x80,
  noatime: 0x400,
  nodiratime: 0x800,
  bind: 0x1000,
  recursive: 0x4000,
  unbindable: 0x20000,
  private: 0x40000,
  slave: 0x80000,
  shared: 0x100000,
  relatime: 0x200000,
  strictatime: 0x1000000,
} as const;

/** Options of mount(8) that are flags: what they set, and what the opposite word clears. */
const setting: Readonly<Record<string, number>> = {
  ro: mountFlags.readOnly,
  nosuid: mountFlags.nosuid,
  nodev: mountFlags.nodev,
  noexec: mountFlags.noexec,
  sync: mountFlags.synchronous,
  mand: mountFlags.mandatoryLocks,
  dirsync: mountFlags.dirsync,
  noatime: mountFlags.noatime,
  nodiratime: mountFlags.nodiratime,
  bind: mountFlags.bind,
  rbind: mountFlags.bind | mountFlags.recursive,
  relatime: mountFlags.relatime,
  strictatime: mountFlags.strictatime,
};
const clearing: Readonly<Record<string, number>> = {
  defaults: 0,
  rw: mountFlags.readOnly,
  suid: mountFlags.nosuid,
  dev: mountFlags.nodev,
  exec: mountFlags.noexec,
  async: mountFlags.synchronous,
  nomand: mountFlags.mandatoryLocks,
  atime: mountFlags.noatime,
  diratime: mountFlags.nodiratime,
  norelatime: mountFlags.relatime,
  nostrictatime: mountFlags.strictatime,
};

export interface MountOptions {
  /** For mount(2)'s `flags`. */
  readonly flags: number;
  /** The filesystem's own options, comma-separated. */
  readonly data: string;
}

/** Sorts the words of an option text such as `ro,nosuid,size=1m` as mount(8) does; the last of two opposites counts. */
export function parseMountOptions(words: readonly string[]): MountOptions {
  let flags = 0;
  const data: string[] = [];
  for (const word of words) {
    if (Object.hasOwn(setting, word)) flags |= setting[word] ?? 0;
    else if (Object.hasOwn(clearing, word)) flags &= ~(clearing[word] ?? 0);
    else if (word !== '') data.push(word);
  }
  return { flags, data: data.join(',') };
}
