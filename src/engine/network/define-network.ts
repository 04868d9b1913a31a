import { nowMs } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import { newId } from '#base/ids.ts';

import { parseBridgeOptions } from './bridge-options.ts';
import { isParentDriver, type ParentDriver, parseMacvlanOptions } from './macvlan-options.ts';
import { defaultNetworkName, isPredefined, type NetworkDefinition } from './network-definition.ts';
import type { NetworkDriver, NewNetwork } from './networks.ts';
import { type AddressPool, planSubnets, type TakenSubnets } from './subnet-plan.ts';

const longestName = 200;

/**
 * The definition of a network that a user asks for. `existing` are the networks there are. Throws Conflict for a taken name
 * or bridge, and what `planSubnets` and `parseBridgeOptions` throw.
 */
export function defineNetwork(
  wanted: NewNetwork,
  existing: readonly NetworkDefinition[],
  pools: readonly AddressPool[],
  taken: TakenSubnets,
): NetworkDefinition {
  checkName(wanted.name, existing);
  const driver = checkDriver(wanted);
  const id = newId();
  const bridgeName = isParentDriver(driver) ? '' : chooseBridge(wanted, id, existing);
  if (isParentDriver(driver)) checkParent(wanted, driver, existing);
  return {
    id,
    name: wanted.name,
    driver,
    createdAtMs: nowMs(),
    subnets: planSubnets(wanted, pools, taken),
    internal: wanted.internal ?? false,
    ...(wanted.attachable === true && { attachable: true }),
    enableIPv6: wanted.enableIPv6 ?? false,
    labels: wanted.labels ?? {},
    options: wanted.options ?? {},
    bridgeName,
  };
}

/** The networks that every machine has and that are not there yet: `bridge`, `host` and `none`. */
export function missingPredefined(
  existing: readonly NetworkDefinition[],
  bridgeName: string,
  pools: readonly AddressPool[],
  taken: TakenSubnets,
): readonly NetworkDefinition[] {
  const drivers: readonly (readonly [string, NetworkDriver])[] = [
    [defaultNetworkName, 'bridge'],
    ['host', 'host'],
    ['none', 'none'],
  ];
  return drivers
    .filter(([name]) => !existing.some((network) => network.name === name))
    .map(([name, driver]) => ({
      id: newId(),
      name,
      driver,
      createdAtMs: nowMs(),
      subnets: driver === 'bridge' ? planSubnets({}, pools, taken) : [],
      internal: false,
      enableIPv6: false,
      labels: {},
      options: {},
      bridgeName: driver === 'bridge' ? bridgeName : '',
    }));
}

function checkDriver({ name, driver }: NewNetwork): 'bridge' | ParentDriver {
  if (!driver || driver === 'bridge') return 'bridge';
  if (isParentDriver(driver)) return driver;
  if (['host', 'null', 'none'].includes(driver)) {
    throw new StatusError('Forbidden', `only one instance of "${driver}" network is allowed`);
  }
  const way = 'use bridge, macvlan or ipvlan';
  throw new StatusError('NotSupported', `Cannot create network "${name}": driver "${driver}" is not known; ${way}`);
}

function chooseBridge(wanted: NewNetwork, id: string, existing: readonly NetworkDefinition[]): string {
  const { bridgeName = `sb-${id.slice(0, 12)}`, ...options } = parseBridgeOptions(wanted.options ?? {});
  const holder = existing.find((network) => network.bridgeName === bridgeName);
  if (holder !== undefined) {
    const message = `Cannot create network "${wanted.name}": bridge "${bridgeName}" belongs to network "${holder.name}"; choose another name`;
    throw new StatusError('Conflict', message);
  }
  if ([options.gatewayMode4, options.gatewayMode6].includes('isolated') && wanted.internal !== true) {
    const message = "gateway mode 'isolated' can only be used for an internal network";
    throw new StatusError('InvalidArgument', message);
  }
  return bridgeName;
}

/** Two networks on one interface would give out the same addresses. */
function checkParent(wanted: NewNetwork, driver: ParentDriver, existing: readonly NetworkDefinition[]): void {
  const { parent } = parseMacvlanOptions(driver, wanted.options ?? {});
  if (parent === '') {
    const message = `Cannot create network "${wanted.name}": driver ${driver} wants an interface of this host; name it with -o parent=eth0`;
    throw new StatusError('InvalidArgument', message);
  }
  const holder = existing.find((other) => isParentDriver(other.driver) && other.options['parent'] === parent);
  if (holder === undefined) return;
  throw new StatusError('Conflict', `network ${holder.name} is already using parent interface ${parent}`);
}

function checkName(name: string, existing: readonly NetworkDefinition[]): void {
  if (isPredefined({ name })) {
    throw new StatusError('Forbidden', `operation is not permitted on predefined ${name} network`);
  }
  if (!/^[A-Za-z0-9_][A-Za-z0-9_. -]*$/.test(name) || name.length > longestName || name.trim() !== name) {
    const message = `invalid network name "${name}": want a letter or digit, then letters, digits, blanks, "_", "." or "-"`;
    throw new StatusError('InvalidArgument', message);
  }
  if (existing.some((network) => network.name === name)) {
    throw new StatusError('Conflict', `network with name ${name} already exists`);
  }
}
