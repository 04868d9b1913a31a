import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { monotonicMs } from '#base/clock.ts';
import { isMissing } from '#sys/files.ts';

import type { DnsSettings } from './networks.ts';
import { onlyLoopback, parseResolvConf } from './resolv-conf.ts';

/** A changed resolv.conf of the host is seen after this time. */
const rereadAfterMs = 5_000;
/** Where systemd-resolved says which servers its stub asks. */
const resolvedFile = '/run/systemd/resolve/resolv.conf';

/** The files of the host that containers' files are made of; they may change at any time (DHCP, VPN). */
export class HostEtc {
  readonly #folder: string;
  #cached: { readonly dns: DnsSettings; readonly atMs: number } | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  hosts(): string {
    return read(join(this.#folder, 'hosts'));
  }

  /** What processes on the host use. */
  dns(): DnsSettings {
    const atMs = monotonicMs();
    if (this.#cached === undefined || atMs - this.#cached.atMs > rereadAfterMs) {
      this.#cached = { dns: parseResolvConf(read(join(this.#folder, 'resolv.conf'))), atMs };
    }
    return this.#cached.dns;
  }

  /** What containers can use: the servers behind a stub on loopback where they are known. */
  containerDns(): DnsSettings {
    const dns = this.dns();
    if (!onlyLoopback(dns.servers)) return dns;
    const behind = parseResolvConf(read(resolvedFile));
    return behind.servers.length > 0 && !onlyLoopback(behind.servers) ? behind : dns;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}
