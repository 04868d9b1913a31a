import { invalidOption, isInterfaceName, readOptions } from './driver-options.ts';

/** The driver options of one endpoint, read. */
export interface EndpointOptions {
  /** Name of the interface in the container; undefined: the next number. */
  readonly interfaceName: string | undefined;
  /** Kernel parameters of the interface, by path below /proc/sys with `IFNAME` in the place of its name. */
  readonly sysctls: readonly { readonly path: string; readonly value: string }[];
}

const readers = {
  'com.docker.network.endpoint.ifname': (value: string, name: string) => ({ interfaceName: ownName(value, name) }),
  'com.docker.network.endpoint.sysctls': (value: string, name: string) => ({ sysctls: sysctls(value, name) }),
} as const;

/** Throws NotSupported for an option that we do not know, InvalidArgument for a value that makes no sense. */
export function parseEndpointOptions(options: Readonly<Record<string, string>>): EndpointOptions {
  return readOptions<EndpointOptions>(readers, options, { interfaceName: undefined, sysctls: [] });
}

function ownName(value: string, name: string): string {
  if (isInterfaceName(value) && value !== 'lo') return value;
  throw invalidOption(name, value, 'want 1 to 15 letters, digits, "_", "." or "-", and not lo');
}

/**
 * `net.X.Y.IFNAME.Z=value,...` (libnetwork's netlabel.EndpointSysctls): only such parameters belong to an interface, and
 * nothing else may be reached by them.
 */
function sysctls(text: string, name: string): EndpointOptions['sysctls'] {
  return text.split(',').map((entry) => {
    // Docker's command line writes what is behind --network in small letters.
    const restored = entry.replace('.ifname.', '.IFNAME.');
    const [, path, value] = /^(net\.(?:ipv4|ipv6|mpls)\.(?:conf|neigh)\.IFNAME\.[a-z0-9_]+)=(.*)$/.exec(restored) ?? [];
    if (path === undefined || value === undefined) {
      throw invalidOption(name, entry, 'want net.ipv4.conf.IFNAME.name=value, or the like of ipv6 or neigh');
    }
    return { path: path.replaceAll('.', '/'), value };
  });
}
