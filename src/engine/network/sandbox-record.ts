import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Logger } from '#base/logger.ts';

import type { Sandbox, SandboxRequest } from './networks.ts';

/** What is remembered of a container's network while it runs. */
export interface SandboxRecord {
  /** As asked for; endpoints follow live changes, the name follows a rename. */
  readonly request: SandboxRequest;
  readonly sandbox: Sandbox;
}

/**
 * The records, a file each, in a folder that need not survive the machine's next start: they describe kernel state, which
 * does not either. So they are written whole but not synced, which keeps the start of a container free of disk waits; a
 * killed daemon loses none of them.
 */
export class SandboxRecords {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** Files that cannot be read (power failed while they were written) are removed and reported: nothing runs by them. */
  load(logger: Logger): readonly SandboxRecord[] {
    const records: SandboxRecord[] = [];
    for (const name of readdirSync(this.#folder)) {
      const path = join(this.#folder, name);
      const record = name.endsWith('.json') ? parse(readFileSync(path, 'utf8')) : undefined;
      if (record !== undefined) {
        records.push(record);
        continue;
      }
      logger.warn('the record of a container network is not usable and is removed', { file: name });
      rmSync(path, { force: true, recursive: true });
    }
    return records;
  }

  save(record: SandboxRecord): void {
    const path = this.#path(record.sandbox.containerId);
    writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  remove(containerId: string): void {
    rmSync(this.#path(containerId), { force: true });
  }

  #path(containerId: string): string {
    return join(this.#folder, `${containerId}.json`);
  }
}

function parse(text: string): SandboxRecord | undefined {
  try {
    const record = JSON.parse(text) as Partial<SandboxRecord> | null;
    const { request, sandbox } = record ?? {};
    const complete =
      typeof sandbox?.containerId === 'string' &&
      Array.isArray(sandbox.endpoints) &&
      Array.isArray(sandbox.ports) &&
      typeof request?.mode === 'string' &&
      typeof sandbox.files?.hosts === 'string';
    return complete ? withDefaults(record as SandboxRecord) : undefined;
  } catch {
    return undefined;
  }
}

/** What endpoints have that were made by earlier versions. */
function withDefaults({ request, sandbox }: SandboxRecord): SandboxRecord {
  const defaults = { linkLocalAddresses: [], gatewayPriority: 0, links: [], driverOptions: {} };
  return { request, sandbox: { ...sandbox, endpoints: sandbox.endpoints.map((one) => ({ ...defaults, ...one })) } };
}
