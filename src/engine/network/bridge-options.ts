import { StatusError } from '#base/errors.ts';
import { parseAddress } from '#formats/ip-address.ts';

/** The driver options of a bridge network, read. */
export interface BridgeOptions {
  /** Name of the interface on the host; undefined: derived from the network's ID. */
  readonly bridgeName: string | undefined;
  /** Whether its containers may talk to each other without publishing. */
  readonly icc: boolean;
  /** Whether packets leave the host with the host's address. */
  readonly masquerade: boolean;
  /** Undefined: that of the host's default route. */
  readonly mtu: number | undefined;
  /** Host address for ports published without one; '' = all. */
  readonly hostBindingIp: string;
}

const defaults: BridgeOptions = {
  bridgeName: undefined,
  icc: true,
  masquerade: true,
  mtu: undefined,
  hostBindingIp: '',
};

/** One row per option that we honour. */
const readers: Readonly<Record<string, (value: string, name: string) => Partial<BridgeOptions>>> = {
  'com.docker.network.bridge.name': (value, name) => ({ bridgeName: interfaceName(value, name) }),
  'com.docker.network.bridge.enable_icc': (value, name) => ({ icc: boolean(value, name) }),
  'com.docker.network.bridge.enable_ip_masquerade': (value, name) => ({ masquerade: boolean(value, name) }),
  'com.docker.network.bridge.host_binding_ipv4': (value, name) => ({ hostBindingIp: ipv4(value, name) }),
  'com.docker.network.driver.mtu': (value, name) => ({ mtu: mtu(value, name) }),
};

/** Throws NotSupported for an option that we do not know, InvalidArgument for a value that makes no sense. */
export function parseBridgeOptions(options: Readonly<Record<string, string>>): BridgeOptions {
  let parsed = defaults;
  for (const [name, value] of Object.entries(options)) {
    const read = Object.hasOwn(readers, name) ? readers[name] : undefined;
    if (read === undefined) {
      const known = Object.keys(readers).join(', ');
      throw new StatusError('NotSupported', `Cannot use network option "${name}": it is not known; known are ${known}`);
    }
    parsed = { ...parsed, ...read(value, name) };
  }
  return parsed;
}

function boolean(value: string, name: string): boolean {
  // The spellings that Go's strconv.ParseBool takes.
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw invalid(name, value, 'want true or false');
}

/** The kernel's limit is 15 bytes; blanks, slashes and colons would confuse rules and paths. */
function interfaceName(value: string, name: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/.test(value)) return value;
  throw invalid(name, value, 'want 1 to 15 letters, digits, "_", "." or "-"');
}

function ipv4(value: string, name: string): string {
  if (parseAddress(value)?.family === 4) return value === '0.0.0.0' ? '' : value;
  throw invalid(name, value, 'want an IPv4 address');
}

function mtu(value: string, name: string): number | undefined {
  const [least, most] = [68, 65_535];
  const number = Number(value);
  if (/^\d+$/.test(value) && number === 0) return undefined;
  if (/^\d+$/.test(value) && number >= least && number <= most) return number;
  throw invalid(name, value, `want a number from ${String(least)} to ${String(most)}`);
}

function invalid(name: string, value: string, wanted: string): StatusError {
  return new StatusError('InvalidArgument', `Cannot use network option "${name}": its value is "${value}"; ${wanted}`);
}
