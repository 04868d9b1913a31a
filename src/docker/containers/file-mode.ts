/** The bits above the permissions in Go's os.FileMode. */
const directory = 2 ** 31;
const symlink = 2 ** 27;
const device = 2 ** 26;
const namedPipe = 2 ** 25;
const socket = 2 ** 24;
const setuid = 2 ** 23;
const setgid = 2 ** 22;
const characterDevice = 2 ** 21;
const sticky = 2 ** 20;

const fileTypes: Readonly<Record<number, number>> = {
  0o040000: directory,
  0o120000: symlink,
  0o060000: device,
  0o020000: device + characterDevice,
  0o010000: namedPipe,
  0o140000: socket,
};

/** A mode of stat(2) as Go writes it into JSON. */
export function goFileMode(mode: number): number {
  return (
    (mode & 0o777) +
    (fileTypes[mode & 0o170000] ?? 0) +
    ((mode & 0o4000) === 0 ? 0 : setuid) +
    ((mode & 0o2000) === 0 ? 0 : setgid) +
    ((mode & 0o1000) === 0 ? 0 : sticky)
  );
}
