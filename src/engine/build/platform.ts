import { StatusError } from '#base/errors.ts';
import type { Platform } from '#formats/oci.ts';

/** Names that people use for an architecture (containerd, platforms/database.go). */
const architectures: Readonly<Record<string, Omit<Platform, 'os'>>> = {
  x86_64: { architecture: 'amd64' },
  'x86-64': { architecture: 'amd64' },
  x64: { architecture: 'amd64' },
  aarch64: { architecture: 'arm64' },
  i386: { architecture: '386' },
  armhf: { architecture: 'arm', variant: 'v7' },
  armel: { architecture: 'arm', variant: 'v6' },
};

/** The platform of this machine. */
export function hostPlatform(architecture: string = process.arch): Platform {
  return { os: 'linux', ...(architectures[architecture] ?? { architecture }) };
}

/** Parses `os[/architecture[/variant]]` or an architecture alone. Throws InvalidArgument, NotSupported for another OS. */
export function parsePlatform(text: string, host: Platform): Platform {
  const parts = text.toLowerCase().split('/');
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9_.-]+$/.test(part)))
    throw new StatusError('InvalidArgument', `failed to parse platform ${text}: it must be os/architecture[/variant]`);
  const [first = '', second, third] = parts;
  if (second === undefined && first === 'local') return host;
  if (second === undefined && first !== 'linux') return { os: 'linux', ...normalised(first, undefined) };
  if (first !== 'linux')
    throw new StatusError('NotSupported', `Cannot build for platform "${text}": only linux is supported`);
  return second === undefined ? host : { os: 'linux', ...normalised(second, third) };
}

function normalised(architecture: string, variant: string | undefined): Omit<Platform, 'os'> {
  const known = architectures[architecture] ?? { architecture };
  return variant === undefined ? known : { ...known, variant };
}
