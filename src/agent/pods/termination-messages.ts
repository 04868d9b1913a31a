import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import type { MountRequest } from '#engine/runtime/container.ts';
import type { Containers } from '#engine/runtime/containers.ts';
import type { Container } from '#kube/types/gen/core-v1.ts';
import { hasCode } from '#sys/errno.ts';

import type { ContainerRun } from '../lifecycle/pod-now.ts';

const messageBytes = 4096;
/** Of a log that stands for a message. */
const logLines = 80;
const logBytes = 2048;
const defaultPath = '/dev/termination-log';

/** What containers say of their end: files that are shown to them, `<uid>/<container>_<attempt>` in a folder. */
export class TerminationMessages {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the file of a run, and the mount by which the container writes to it. */
  mount(uid: string, container: Container, attempt: number): readonly MountRequest[] {
    const target = container.terminationMessagePath ?? defaultPath;
    if (target === '') return [];
    const source = this.#path(uid, container.name ?? '', attempt);
    mkdirSync(join(this.#folder, uid), { recursive: true, mode: 0o750 });
    closeSync(openSync(source, 'w', 0o666));
    // Whoever the container runs as may write, whatever the umask here.
    chmodSync(source, 0o666);
    return [{ type: 'bind', source, target, readOnly: false }];
  }

  /** What a run that has ended said, or else, where its container wants that, the end of its log. */
  async of(
    uid: string,
    container: Container,
    run: ContainerRun,
    containers: Pick<Containers, 'logs'>,
    signal: AbortSignal,
  ): Promise<string> {
    const said = readStart(this.#path(uid, run.name, run.attempt));
    const wantsLog = container.terminationMessagePolicy === 'FallbackToLogsOnError' && run.exitCode !== 0;
    if (said !== '' || !wantsLog) return said;
    const parts: Buffer[] = [];
    const query = { stdout: true, stderr: true, follow: false, tail: logLines };
    for await (const records of containers.logs(run.id, query, signal))
      parts.push(...records.map(({ bytes }) => Buffer.from(bytes)));
    return Buffer.concat(parts).subarray(-logBytes).toString();
  }

  list(): readonly string[] {
    try {
      return readdirSync(this.#folder);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return [];
      throw error;
    }
  }

  forgetRun(uid: string, { name, attempt }: Pick<ContainerRun, 'name' | 'attempt'>): void {
    rmSync(this.#path(uid, name, attempt), { force: true });
  }

  forget(uid: string): void {
    rmSync(join(this.#folder, uid), { recursive: true, force: true });
  }

  #path(uid: string, name: string, attempt: number): string {
    if (!/^[\w-]+$/.test(uid)) throw new Error(`invariant broken: a pod has the uid "${uid}"`);
    return join(this.#folder, uid, `${name}_${String(attempt)}`);
  }
}

function readStart(path: string): string {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  }
  try {
    const bytes = Buffer.alloc(messageBytes);
    return bytes.subarray(0, readSync(fd, bytes, 0, messageBytes, 0)).toString();
  } finally {
    closeSync(fd);
  }
}
