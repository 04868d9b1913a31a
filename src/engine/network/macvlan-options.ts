import { invalidOption, isInterfaceName, mtu, readOptions } from './driver-options.ts';
import type { NetworkDriver } from './networks.ts';

/** Networks whose containers have interfaces on one of the host's, without a bridge. */
export type ParentDriver = Extract<NetworkDriver, 'macvlan' | 'ipvlan'>;

export interface MacvlanOptions {
  /** The interface of the host; '' when none was named. */
  readonly parent: string;
  /** By number: of `enum macvlan_mode` (linux/if_link.h), or of `enum ipvlan_mode`. */
  readonly mode: number;
  readonly mtu: number | undefined;
}

const modes = {
  macvlan: { private: 1, vepa: 2, bridge: 4, passthru: 8 },
  ipvlan: { l2: 0 },
} as const satisfies Record<ParentDriver, Readonly<Record<string, number>>>;
const defaults = { macvlan: 'bridge', ipvlan: 'l2' } as const;

export function isParentDriver(driver: string): driver is ParentDriver {
  return driver === 'macvlan' || driver === 'ipvlan';
}

/** Throws NotSupported for an option that we do not know, InvalidArgument for a value that makes no sense. */
export function parseMacvlanOptions(driver: ParentDriver, options: Readonly<Record<string, string>>): MacvlanOptions {
  const known: Readonly<Record<string, number>> = modes[driver];
  const readMode = (value: string, name: string): Partial<MacvlanOptions> => {
    const mode = Object.hasOwn(known, value || defaults[driver]) ? known[value || defaults[driver]] : undefined;
    if (mode === undefined) throw invalidOption(name, value, `want one of ${Object.keys(known).join(', ')}`);
    return { mode };
  };
  const readers = {
    parent: (value: string, name: string) => ({ parent: interfaceName(value, name) }),
    [`${driver}_mode`]: readMode,
    'com.docker.network.driver.mtu': (value: string, name: string) => ({ mtu: mtu(value, name) }),
  };
  return readOptions<MacvlanOptions>(readers, options, {
    parent: '',
    mode: known[defaults[driver]] ?? 0,
    mtu: undefined,
  });
}

function interfaceName(value: string, name: string): string {
  if (isInterfaceName(value)) return value;
  throw invalidOption(name, value, 'want the name of an interface of this host');
}
