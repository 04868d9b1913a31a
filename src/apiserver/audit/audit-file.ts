import { closeSync, fstatSync, openSync, renameSync, rmSync, write } from 'node:fs';
import { promisify } from 'node:util';

/** Where finished events go. */
export interface AuditSink extends AsyncDisposable {
  /** Never waits. */
  add(event: Readonly<Record<string, unknown>>): void;
}

export interface AuditFileOptions {
  readonly path: string;
  /** Then the file becomes `PATH.1`, and a new one begins. */
  readonly sizeBytesMost: number;
  /** How many old files are kept. */
  readonly filesMost: number;
  /** Told when events are lost, because the disk is full or too slow. */
  readonly onLost: (count: number, cause: unknown) => void;
}

const writeAll = promisify(write);
/** Events that wait for the disk; what comes on top is lost and told. */
const waitingBytesMost = 16 * 1024 * 1024;

/** A file of one JSON object per line, mode 0600. Requests do not wait for it. */
export class AuditFile implements AuditSink {
  readonly #options: AuditFileOptions;
  #fd: number;
  #sizeBytes: number;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;

  constructor(options: AuditFileOptions) {
    this.#options = options;
    this.#fd = openSync(options.path, 'a', 0o600);
    this.#sizeBytes = fstatSync(this.#fd).size;
  }

  add(event: Readonly<Record<string, unknown>>): void {
    const line = `${JSON.stringify(event)}\n`;
    if (this.#waitingBytes + line.length > waitingBytesMost) {
      this.#options.onLost(1, new Error('the disk is too slow'));
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    closeSync(this.#fd);
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      this.#waitingBytes = 0;
      const bytes = Buffer.from(lines.join(''), 'utf8');
      try {
        if (this.#sizeBytes > 0 && this.#sizeBytes + bytes.length > this.#options.sizeBytesMost) this.#rotate();
        for (let at = 0; at < bytes.length;) at += (await writeAll(this.#fd, bytes, at)).bytesWritten;
        this.#sizeBytes += bytes.length;
      } catch (error) {
        this.#options.onLost(lines.length, error);
      }
    }
  }

  #rotate(): void {
    const { path, filesMost } = this.#options;
    rmSync(`${path}.${String(filesMost)}`, { force: true });
    for (let number = filesMost - 1; number >= 1; number -= 1)
      moveIfThere(`${path}.${String(number)}`, `${path}.${String(number + 1)}`);
    if (filesMost > 0) renameSync(path, `${path}.1`);
    else rmSync(path);
    closeSync(this.#fd);
    this.#fd = openSync(path, 'a', 0o600);
    this.#sizeBytes = 0;
  }
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
