import { isMountPoint, mountsBelow } from '#sys/mount-info.ts';
import { bindMount, mountTmpfs, unmountSurely, unmountTree } from '#sys/mounts.ts';

/** What pods' volumes ask of the kernel. */
export interface Mounter {
  /** Memory as a filesystem; without a size half of the machine's. Nothing happens where something is mounted. */
  tmpfs(path: string, sizeBytes: number | undefined): void;
  /** Shows `source` at `target`, in place of what was shown there. */
  bind(source: string, target: string): void;
  /** Takes away all mounts at and below a path; throws when one stays. */
  unmountAll(path: string): void;
}

export const kernelMounter: Mounter = {
  tmpfs: (path, sizeBytes) => {
    if (!isMountPoint(path))
      mountTmpfs(path, sizeBytes === undefined ? 'mode=777' : `mode=777,size=${String(sizeBytes)}`, ['nodev']);
  },
  bind: (source, target) => {
    while (isMountPoint(target)) unmountSurely(target);
    bindMount(source, target, { recursive: true });
  },
  unmountAll: (path) => {
    unmountTree(path);
    const left = mountsBelow(path);
    if (left.length > 0) throw new Error(`invariant broken: ${left[0]?.mountPoint ?? path} stays mounted`);
  },
};
