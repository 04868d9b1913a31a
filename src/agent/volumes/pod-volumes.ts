import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { type Clock, machineClock } from '#base/clock.ts';
import { messageOf, reasonOf, StatusError } from '#base/errors.ts';
import { KeyedLock } from '#base/keyed-lock.ts';
import type { MountRequest } from '#engine/runtime/container.ts';
import type { Container, Pod, Volume } from '#kube/types/gen/core-v1.ts';
import { hasCode } from '#sys/errno.ts';
import { diskUsage } from '#sys/tree/disk-usage.ts';

import type { PodFacts, PodSources } from '../environment/pod-sources.ts';
import { writeAtomically } from './atomic-folder.ts';
import type { Claims } from './claims.ts';
import { emptyDirBytes, emptyDirLimit } from './empty-dir.ts';
import { filesOf, hasFiles } from './files-of.ts';
import { giveToGroup } from './fs-group.ts';
import { prepareHostPath } from './host-path.ts';
import { kernelMounter, type Mounter } from './mounter.ts';
import { mountsOf } from './mounts-of.ts';
import type { OpenedVolume } from './opened-volume.ts';
import { PodTokens } from './pod-tokens.ts';

export interface PodVolumesOptions {
  /** A folder of its own, durable: `<uid>/volumes/<kind>/<name>` and `<uid>/subpaths`. */
  readonly folder: string;
  readonly sources: PodSources;
  readonly claims: Claims;
  readonly mounter?: Mounter;
  readonly clock?: Clock;
}

/**
 * The volumes of the pods on this node. All of it can be asked for again at any time, also by a later process: what is
 * there already stays as it is.
 */
export class PodVolumes {
  readonly #options: PodVolumesOptions;
  readonly #mounter: Mounter;
  readonly #tokens: PodTokens;
  readonly #lock = new KeyedLock();
  /** The claims that were given to the group of a pod, by its uid. */
  readonly #given = new Map<string, Set<string>>();

  constructor(options: PodVolumesOptions) {
    this.#options = options;
    this.#mounter = options.mounter ?? kernelMounter;
    this.#tokens = new PodTokens(options.sources, options.clock ?? machineClock);
  }

  /** Makes all volumes of a pod reachable. Throws what upstream shows as an event FailedMount; a later try may succeed. */
  async open(pod: Pod, facts: PodFacts, signal: AbortSignal): Promise<ReadonlyMap<string, OpenedVolume>> {
    return this.#lock.run(pod.metadata.uid ?? '', async () => {
      const opened = new Map<string, OpenedVolume>();
      for (const volume of pod.spec?.volumes ?? [])
        opened.set(volume.name ?? '', await this.#opened(pod, volume, facts, signal));
      return opened;
    });
  }

  /** Brings files that the API tells up to date. Volumes that are not open yet are left alone. */
  async update(pod: Pod, facts: PodFacts, signal: AbortSignal): Promise<void> {
    await this.#lock.run(pod.metadata.uid ?? '', async () => {
      const open = this.list().includes(pod.metadata.uid ?? '');
      for (const volume of open ? (pod.spec?.volumes ?? []) : [])
        if (hasFiles(volume)) await this.#opened(pod, volume, facts, signal);
    });
  }

  /** The mounts of one container of a pod whose volumes are open; `environment`: its variables. */
  mounts(
    pod: Pod,
    container: Container,
    volumes: ReadonlyMap<string, OpenedVolume>,
    environment: ReadonlyMap<string, string>,
  ): readonly MountRequest[] {
    const folder = join(this.#podFolder(pod.metadata.uid ?? ''), 'subpaths');
    return mountsOf(container, { volumes, environment, folder, mounter: this.#mounter });
  }

  /** After the last container: what belongs to the pod alone is removed, with all that is in it. Idempotent. */
  async close(uid: string): Promise<void> {
    await this.#lock.run(uid, async () => {
      this.#tokens.forget(uid);
      this.#given.delete(uid);
      this.#mounter.unmountAll(this.#podFolder(uid));
      rmSync(this.#podFolder(uid), { recursive: true, force: true });
    });
  }

  /** The uids of pods that have volumes here, also of those that are long gone. */
  list(): readonly string[] {
    try {
      return readdirSync(this.#options.folder);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return [];
      throw error;
    }
  }

  /** Why a pod must be evicted for what it keeps in its volumes, in upstream's words; undefined: it need not. */
  async excess(pod: Pod, signal: AbortSignal): Promise<string | undefined> {
    for (const { name = '', emptyDir } of pod.spec?.volumes ?? []) {
      const limit = emptyDir?.sizeLimit;
      if (limit === undefined || emptyDir?.medium === 'Memory') continue;
      const path = this.#volumeFolder(pod, 'empty-dir', name);
      const usedBytes = await diskUsage(path, signal).catch((error: unknown) => {
        if (hasCode(error, 'ENOENT')) return 0;
        throw error;
      });
      if (usedBytes > emptyDirLimit(limit)) return `Usage of EmptyDir volume "${name}" exceeds the limit "${limit}". `;
    }
    return undefined;
  }

  async #opened(pod: Pod, volume: Volume, facts: PodFacts, signal: AbortSignal): Promise<OpenedVolume> {
    try {
      return await this.#openOne(pod, volume, facts, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw new StatusError(
        reasonOf(error),
        `MountVolume.SetUp failed for volume "${volume.name ?? ''}" : ${messageOf(error)}`,
        { cause: error },
      );
    }
  }

  async #openOne(pod: Pod, volume: Volume, facts: PodFacts, signal: AbortSignal): Promise<OpenedVolume> {
    const { name = '', emptyDir, hostPath, persistentVolumeClaim, ephemeral } = volume;
    if (hasFiles(volume)) return this.#openFiles(pod, volume, facts, signal);
    if (emptyDir !== undefined) {
      const group = pod.spec?.securityContext?.fsGroup;
      const path = this.#makeFolder(pod, 'empty-dir', name, group);
      if (emptyDir.medium === 'Memory')
        this.#mounter.tmpfs(path, { sizeBytes: emptyDirBytes(pod, emptyDir, facts), group });
      else if ((emptyDir.medium ?? '') !== '')
        throw new StatusError(
          'NotSupported',
          `emptyDir of medium "${emptyDir.medium ?? ''}": this node has no huge pages`,
        );
      return { kind: 'folder', path, readOnly: false };
    }
    if (hostPath !== undefined) {
      const { path = '', type = '' } = hostPath;
      prepareHostPath(path, type);
      return { kind: 'folder', path, readOnly: false };
    }
    if (persistentVolumeClaim !== undefined || ephemeral !== undefined) {
      const claim = persistentVolumeClaim?.claimName ?? `${pod.metadata.name ?? ''}-${name}`;
      const opened = await this.#options.claims.open(pod, claim, signal);
      const readOnly = opened.readOnly || persistentVolumeClaim?.readOnly === true;
      if (!readOnly) await this.#giveClaimToGroup(pod, opened, signal);
      return { ...opened, readOnly };
    }
    const kind = Object.keys(volume).find((key) => key !== 'name') ?? 'emptyDir';
    throw new StatusError('NotSupported', `volumes of the kind "${kind}" cannot be mounted on this node`);
  }

  async #openFiles(pod: Pod, volume: Volume, facts: PodFacts, signal: AbortSignal): Promise<OpenedVolume> {
    const [kind, isSecret] = kindOfFiles(volume);
    const context = {
      pod,
      facts,
      sources: this.#options.sources,
      token: async (projection: Parameters<PodTokens['get']>[1], signal: AbortSignal): Promise<string> =>
        this.#tokens.get(pod, projection, signal),
    };
    const files = await filesOf(volume, context, signal);
    const path = this.#makeFolder(pod, kind, volume.name ?? '');
    // What is secret is never written to a disk.
    if (isSecret) this.#mounter.tmpfs(path, {});
    writeAtomically(path, files, pod.spec?.securityContext?.fsGroup);
    return { kind: 'folder', path, readOnly: true };
  }

  /** Once for each pod, as it may take long; what its containers change later stays as they want it. */
  async #giveClaimToGroup(pod: Pod, opened: OpenedVolume, signal: AbortSignal): Promise<void> {
    const { fsGroup, fsGroupChangePolicy } = pod.spec?.securityContext ?? {};
    const { uid = '' } = pod.metadata;
    if (fsGroup === undefined || opened.kind === 'folder') return;
    const given = this.#given.get(uid) ?? new Set();
    if (given.has(opened.name)) return;
    const onlyOnMismatch = fsGroupChangePolicy === 'OnRootMismatch';
    const give = async (path: string): Promise<void> => giveToGroup(path, fsGroup, onlyOnMismatch, signal);
    await this.#options.claims.withFolder(opened.name, give, signal);
    this.#given.set(uid, given.add(opened.name));
  }

  #makeFolder(pod: Pod, kind: string, name: string, group?: number): string {
    const path = this.#volumeFolder(pod, kind, name);
    if (existsSync(path)) return path;
    // It is there only with the right mode: later its containers may have chosen another.
    const made = `${path}.new`;
    mkdirSync(made, { recursive: true, mode: 0o750 });
    if (group !== undefined) chownSync(made, 0, group);
    chmodSync(made, group === undefined ? 0o777 : 0o2777);
    renameSync(made, path);
    return path;
  }

  #volumeFolder(pod: Pod, kind: string, name: string): string {
    return join(this.#podFolder(pod.metadata.uid ?? ''), 'volumes', `kubernetes.io~${kind}`, name);
  }

  #podFolder(uid: string): string {
    // It becomes part of a path that is removed.
    if (!/^[\w-]+$/.test(uid)) throw new Error(`invariant broken: a pod has the uid "${uid}"`);
    return join(this.#options.folder, uid);
  }
}

function kindOfFiles(volume: Volume): readonly [kind: string, isSecret: boolean] {
  if (volume.secret !== undefined) return ['secret', true];
  if (volume.projected !== undefined) return ['projected', true];
  return [volume.configMap === undefined ? 'downward-api' : 'configmap', false];
}
