import { createHash } from 'node:crypto';

import { nowMs } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { SourceFile } from '#formats/dockerfile/dockerfile.ts';
import type { LintWarning } from '#formats/dockerfile/lint/lint-dockerfile.ts';
import type { Encodable } from '#formats/protobuf/message.ts';

import type { timestamp } from '../messages/control-messages.ts';
import { timeOf } from '../messages/time-of.ts';
import type { StatusLog } from './status-log.ts';

/** Output of one step that clients get, as much as BuildKit lets through. */
const maximumLogBytes = 2 * 1024 * 1024;
/** Progress of one transfer is told at most as often. */
const progressPeriodMs = 100;

/** One line of the progress that clients show: BuildKit's vertex. */
export class Task {
  readonly digest: string;
  readonly #log: StatusLog;
  readonly #name: string;
  readonly #inputs: readonly string[];
  readonly #toldMs = new Map<string, number>();
  #startedMs: number | undefined;
  #logBytes = 0;

  /** `key` tells tasks of one build apart. */
  constructor(log: StatusLog, key: string, name: string, inputs: readonly string[] = []) {
    this.digest = `sha256:${createHash('sha256').update(key).digest('hex')}`;
    this.#log = log;
    this.#name = name;
    this.#inputs = inputs;
  }

  start(): void {
    this.#startedMs ??= nowMs();
    this.#tell({});
  }

  finish(end: { readonly cached?: boolean; readonly error?: string } = {}): void {
    this.#startedMs ??= nowMs();
    this.#tell({ ...end, completed: timeOf(nowMs()) });
  }

  /** Runs work as this task. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.start();
    try {
      const result = await work();
      this.finish();
      return result;
    } catch (error) {
      this.finish({ error: messageOf(error) });
      throw error;
    }
  }

  output(bytes: Uint8Array): void {
    if (this.#logBytes > maximumLogBytes) return;
    this.#logBytes += bytes.length;
    const msg = this.#logBytes > maximumLogBytes ? Buffer.from('\n[output clipped, log limit 2MiB reached]\n') : bytes;
    this.#log.add({ logs: [{ vertex: this.digest, timestamp: timeOf(nowMs()), stream: 1n, msg }] });
  }

  /** How far a part of the task is; `done` closes it. */
  progress(id: string, how: { readonly current: number; readonly total?: number; readonly done?: boolean }): void {
    const atMs = nowMs();
    const told = this.#toldMs.get(id);
    if (how.done !== true && told !== undefined && atMs - told < progressPeriodMs) return;
    this.#toldMs.set(id, atMs);
    const status = {
      id,
      vertex: this.digest,
      current: BigInt(how.current),
      total: BigInt(how.total ?? 0),
      timestamp: timeOf(atMs),
      started: timeOf(this.#startedMs ?? atMs),
      ...(how.done === true && { completed: timeOf(atMs) }),
    };
    this.#log.add({ statuses: [status] });
  }

  /** `lint`: the build check that says so, of a Dockerfile with these lines. */
  warn(text: string, lint?: { readonly warning: LintWarning; readonly source: SourceFile }): void {
    const place = lint === undefined ? {} : placeOf(lint.warning, lint.source);
    this.#log.add({ warnings: [{ vertex: this.digest, level: 1n, short: Buffer.from(text), ...place }] });
  }

  #tell(end: { readonly cached?: boolean; readonly error?: string; readonly completed?: Time }): void {
    const started = timeOf(this.#startedMs ?? nowMs());
    this.#log.add({ vertexes: [{ digest: this.digest, inputs: this.#inputs, name: this.#name, started, ...end }] });
  }
}

function placeOf({ description, url, at }: LintWarning, { name, lines }: SourceFile): object {
  return {
    detail: [Buffer.from(description)],
    url,
    info: { filename: name, data: Buffer.from(lines.join('\n')), language: 'Dockerfile' },
    ranges: [{ start: { line: at.start }, end: { line: at.end } }],
  };
}

type Time = Encodable<typeof timestamp>;
