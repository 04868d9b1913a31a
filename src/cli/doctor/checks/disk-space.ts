import type { Check } from '../check.ts';

const gibibyte = 1024 ** 3;
/** A base image, an application and their layers at once. */
const needBytes = 2 * gibibyte;

export const diskSpace: Check = {
  name: 'disk space',
  run: (host) => {
    const { freeBytes, totalBytes } = host.diskSpace(host.paths.data);
    const text = `${gibibytes(freeBytes)} of ${gibibytes(totalBytes)} GiB are free for ${host.paths.data}`;
    if (freeBytes >= needBytes) return { state: 'ok', text };
    const fix = 'docker system prune';
    return { state: freeBytes < needBytes / 8 ? 'fail' : 'warn', text: `only ${text}`, fix };
  },
};

function gibibytes(bytes: number): string {
  return (bytes / gibibyte).toFixed(1);
}
