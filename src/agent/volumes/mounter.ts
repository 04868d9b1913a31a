import { isMountPoint, mountsBelow } from '#sys/mount-info.ts';
import { bindMount, mountTmpfs, unmountSurely, unmountTree } from '#sys/mounts.ts';

export interface TmpfsSettings {
  /** undefined: half of the machine's memory. */
  readonly sizeBytes?: number | undefined;
  /** Whose it is, with all that is made in it. */
  readonly group?: number | undefined;
}

/** What pods' volumes ask of the kernel. */
export interface Mounter {
  /** Memory as a filesystem that everybody may write to. Nothing happens where something is mounted. */
  tmpfs(path: string, settings: TmpfsSettings): void;
  /** Shows `source` at `target`, in place of what was shown there. */
  bind(source: string, target: string): void;
  /** Takes away all mounts at and below a path; throws when one stays. */
  unmountAll(path: string): void;
}

export const kernelMounter: Mounter = {
  tmpfs: (path, { sizeBytes, group }) => {
    if (isMountPoint(path)) return;
    const words = [
      ...(group === undefined ? ['mode=777'] : ['mode=2777', `gid=${String(group)}`]),
      ...(sizeBytes === undefined ? [] : [`size=${String(sizeBytes)}`]),
    ];
    mountTmpfs(path, words.join(','), ['nodev']);
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
