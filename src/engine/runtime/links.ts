import { StatusError } from '#base/errors.ts';
import { shortId } from '#base/ids.ts';

import type { Protocol, SandboxRequest } from '../network/networks.ts';
import type { ContainerRecord } from './record.ts';
import { isRunning } from './record.ts';
import type { Room } from './room.ts';

/** A container that another one is linked to, as it is now. */
export interface LinkedContainer {
  /** What the other container calls it, such as `db`. */
  readonly alias: string;
  /** `/web/db`: the link itself, below the name of the container that has it. */
  readonly linkName: string;
  readonly address: string;
  readonly exposed: readonly { readonly containerPort: number; readonly protocol: Protocol }[];
  readonly env: readonly string[];
}

interface Links {
  readonly hosts: NonNullable<SandboxRequest['linked']>;
  /** `NAME=value` for the environment of the container that has the links. */
  readonly env: readonly string[];
}

/**
 * What a container that is about to start gets from those it is linked to (`--link` on the default bridge). Throws Conflict
 * for one that does not run, InvalidArgument for one that is not on the default bridge, in Docker's words.
 */
export function resolveLinks(room: Pick<Room, 'table' | 'networks'>, record: ContainerRecord): Links {
  const links = (record.spec.network.links ?? []).map(({ containerId, alias }) => {
    const other = room.table.find(containerId)?.record;
    if (other === undefined || !isRunning(other)) {
      const message = `Cannot link to a non running container: /${other?.name ?? shortId(containerId)} AS /${record.name}/${alias}`;
      throw new StatusError('Conflict', message);
    }
    const endpoint = room.networks.sandbox(containerId)?.endpoints.find(({ networkName }) => networkName === 'bridge');
    if (endpoint === undefined) {
      const message = `Cannot link to /${other.name}, as it does not belong to the default network`;
      throw new StatusError('InvalidArgument', message);
    }
    const { spec, name } = other;
    return {
      hosts: { containerId, names: [...new Set([alias, spec.hostname, name])].filter((text) => text !== '') },
      env: linkEnvironment({
        alias,
        linkName: `/${record.name}/${alias}`,
        address: endpoint.ipv4Address || endpoint.ipv6Address,
        exposed: spec.network.exposed ?? [],
        env: spec.env,
      }),
    };
  });
  return { hosts: links.map(({ hosts }) => hosts), env: links.flatMap(({ env }) => env) };
}

/** The variables of those links that lead to running containers now, for programs that are run in the container later. */
export function presentLinks(room: Pick<Room, 'table' | 'networks'>, record: ContainerRecord): readonly string[] {
  return (record.spec.network.links ?? []).flatMap((link) => {
    const { spec } = record;
    try {
      return resolveLinks(room, { ...record, spec: { ...spec, network: { ...spec.network, links: [link] } } }).env;
    } catch (error) {
      // What is linked has stopped, which is no reason not to run a program here.
      if (error instanceof StatusError) return [];
      throw error;
    }
  });
}

/** The variables by which Docker tells a container of one it is linked to. */
export function linkEnvironment({ alias, linkName, address, exposed, env }: LinkedContainer): readonly string[] {
  const prefix = alias.toUpperCase().replaceAll('-', '_');
  const ports = exposed.toSorted(
    (one, other) =>
      Number(other.protocol === 'tcp') - Number(one.protocol === 'tcp') || one.containerPort - other.containerPort,
  );
  const [first] = ports;
  const url = (port: (typeof ports)[number]): string => `${port.protocol}://${address}:${String(port.containerPort)}`;
  const own = ports.flatMap((port) => {
    const name = `${prefix}_PORT_${String(port.containerPort)}_${port.protocol.toUpperCase()}`;
    return [
      `${name}=${url(port)}`,
      `${name}_ADDR=${address}`,
      `${name}_PORT=${String(port.containerPort)}`,
      `${name}_PROTO=${port.protocol}`,
    ];
  });
  const inherited = env.filter((entry) => !/^(HOME|PATH)=/.test(entry)).map((entry) => `${prefix}_ENV_${entry}`);
  return [
    ...(first === undefined ? [] : [`${prefix}_PORT=${url(first)}`]),
    ...own,
    `${prefix}_NAME=${linkName}`,
    ...inherited,
  ];
}
