import { type Attribute, nestedAttribute, textAttribute, u32Attribute, u8Attribute } from './attributes.ts';
import { encodeLinkHeader, linkAttributes, linkPayload, linkTypes } from './link.ts';
import type { NetlinkSocket } from './netlink-socket.ts';

/** What is to change of an interface; what is left away stays. */
export interface LinkChange {
  readonly up?: boolean;
  readonly name?: string;
  readonly mtu?: number;
  readonly macAddress?: Uint8Array;
  /** Index of a bridge; 0 takes it out of its bridge. */
  readonly master?: number;
  readonly alias?: string;
  /** Moves it into the namespace of this open file. */
  readonly netnsFd?: number;
}

/** Options of an interface as a port of its bridge. */
export interface BridgePortChange {
  /** Send frames out by the port they came in by: what a container needs to reach itself by a published port. */
  readonly hairpin?: boolean;
  /** No frames between isolated ports of the same bridge. */
  readonly isolated?: boolean;
  readonly learning?: boolean;
  /** Stops the port at once and forgets the addresses seen behind it. */
  readonly disabled?: true;
}

const portAttributes = { state: 1, hairpin: 4, learning: 8, flush: 24, isolated: 33 };
const bridgeFamily = 7;

export function changeLink(socket: NetlinkSocket, index: number, change: LinkChange): void {
  const attributes: Attribute[] = [];
  if (change.name !== undefined) attributes.push(textAttribute(linkAttributes.name, change.name));
  if (change.mtu !== undefined) attributes.push(u32Attribute(linkAttributes.mtu, change.mtu));
  if (change.macAddress !== undefined) attributes.push({ type: linkAttributes.address, value: change.macAddress });
  if (change.master !== undefined) attributes.push(u32Attribute(linkAttributes.master, change.master));
  if (change.alias !== undefined) attributes.push(textAttribute(linkAttributes.alias, change.alias));
  if (change.netnsFd !== undefined) attributes.push(u32Attribute(linkAttributes.netnsFd, change.netnsFd));
  const payload = linkPayload(encodeLinkHeader({ index, up: change.up }), attributes);
  socket.run({ request: `change link ${String(index)}`, type: linkTypes.set, payload });
}

export function changeBridgePort(socket: NetlinkSocket, index: number, change: BridgePortChange): void {
  const port: Attribute[] = [];
  if (change.hairpin !== undefined) port.push(u8Attribute(portAttributes.hairpin, Number(change.hairpin)));
  if (change.isolated !== undefined) port.push(u8Attribute(portAttributes.isolated, Number(change.isolated)));
  if (change.learning !== undefined) port.push(u8Attribute(portAttributes.learning, Number(change.learning)));
  if (change.disabled === true) {
    port.push(u8Attribute(portAttributes.state, 0), { type: portAttributes.flush, value: new Uint8Array() });
  }
  const header = encodeLinkHeader({ family: bridgeFamily, index });
  const payload = linkPayload(header, [nestedAttribute(linkAttributes.protocolInfo, port)]);
  socket.run({ request: `change bridge port ${String(index)}`, type: linkTypes.set, payload });
}
