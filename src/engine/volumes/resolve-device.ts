import { lookup } from 'node:dns/promises';
import { isIP, isIPv4 } from 'node:net';

import { StatusError } from '#base/errors.ts';

import { mountWords } from './volume-definition.ts';

export interface Device {
  readonly device: string;
  readonly words: readonly string[];
}

/** The address of a host name. */
export type Resolve = (name: string) => Promise<string>;

/** What a volume mounts, names of servers replaced by addresses: the kernel resolves none (as Docker's local driver does). */
export async function resolveDevice(
  options: Readonly<Record<string, string>>,
  resolve: Resolve = address,
): Promise<Device> {
  const { type = '', device = '' } = options;
  const words = mountWords(options);
  if (type !== 'nfs' && type !== 'nfs4' && type !== 'cifs') return { device, words };
  const at = words.findIndex((word) => word.startsWith('addr='));
  const server = words[at]?.slice('addr='.length) ?? '';
  if (server !== '') {
    if (isIPv4(server)) return { device, words };
    return { device, words: words.with(at, `addr=${await resolve(server)}`) };
  }
  const [, host = '', rest = ''] = /^\/\/([^/]+)(.*)$/.exec(device) ?? [];
  if (type !== 'cifs' || host === '' || isIP(host.replace(/^\[|\]$/g, '')) !== 0) return { device, words };
  return { device: `//${await resolve(host)}${rest}`, words };
}

async function address(name: string): Promise<string> {
  try {
    return (await lookup(name)).address;
  } catch (error) {
    throw new StatusError(
      'Unavailable',
      `error resolving passed in network volume address: lookup ${name}: no such host; correct the name or give an address`,
      { cause: error },
    );
  }
}
