import { StatusError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type { Engine } from '#engine/engine.ts';

import { parseBind } from '../translate/binds.ts';
import { beyond, containerIn, isOwn, networkIn } from './project-bounds.ts';
import { projectLabel, type Allowance, type ProjectRole } from './role.ts';

type Body = Readonly<Record<string, unknown>>;

/** Fields of HostConfig that reach the machine, with the allowance that they need. */
const reaching: readonly (readonly [field: string, allowance: Allowance, reaches: (value: unknown) => boolean])[] = [
  ['Privileged', 'privileged', (value) => value === true],
  ['CapAdd', 'privileged', isFilled],
  ['Devices', 'privileged', isFilled],
  ['DeviceCgroupRules', 'privileged', isFilled],
  ['DeviceRequests', 'privileged', isFilled],
  [
    'SecurityOpt',
    'privileged',
    (value) => texts(value).some((option) => !/^no-new-privileges(?:[:=]true)?$/.test(option)),
  ],
  ['MaskedPaths', 'privileged', Array.isArray],
  ['ReadonlyPaths', 'privileged', Array.isArray],
  ['CgroupParent', 'privileged', isText],
  ['OomScoreAdj', 'privileged', (value) => typeof value === 'number' && value < 0],
  ['Sysctls', 'privileged', (value) => isObject(value) && Object.keys(value).some((key) => !key.startsWith('net.'))],
  // The daemon would connect to it from the machine, sockets of the machine included.
  ['LogConfig', 'host-namespaces', hasAddress],
  ['NetworkMode', 'host-namespaces', isHost],
  ['PidMode', 'host-namespaces', isHost],
  ['IpcMode', 'host-namespaces', isHost],
  ['UTSMode', 'host-namespaces', isHost],
  ['UsernsMode', 'host-namespaces', isHost],
  ['CgroupnsMode', 'host-namespaces', isHost],
];

/** Modes that name another container. */
const sharedModes = ['NetworkMode', 'PidMode', 'IpcMode'];
const ownNetworks: ReadonlySet<string> = new Set(['', 'default', 'bridge', 'none']);

/**
 * Checks the body of POST /containers/create, and makes the volumes that it names, so that they belong to the project.
 * Throws Forbidden for what reaches beyond the project.
 */
export async function checkContainer(engine: Engine, role: ProjectRole, body: Body): Promise<void> {
  const host = isObject(body['HostConfig']) ? body['HostConfig'] : {};
  for (const [field, allowance, reaches] of reaching)
    if (reaches(host[field]) && !role.allows.includes(allowance))
      throw beyond(role, `HostConfig.${field} is not allowed`, allowance);
  for (const field of sharedModes) {
    const [, other] = /^container:(.*)$/.exec(text(host[field])) ?? [];
    if (other !== undefined) containerIn(engine, role, other);
  }
  for (const other of [...texts(host['VolumesFrom']), ...texts(host['Links'])])
    containerIn(engine, role, other.split(':', 1)[0] ?? '');
  checkNetworks(engine, role, host, body['NetworkingConfig']);
  for (const volume of namedVolumes(role, host)) await claim(engine, role, volume);
}

function checkNetworks(engine: Engine, role: ProjectRole, host: Body, networking: unknown): void {
  const mode = text(host['NetworkMode']);
  const endpoints =
    isObject(networking) && isObject(networking['EndpointsConfig']) ? networking['EndpointsConfig'] : {};
  for (const name of [mode, ...Object.keys(endpoints)])
    if (!ownNetworks.has(name) && !isHost(name) && !name.startsWith('container:')) networkIn(engine, role, name);
}

/** Names of the volumes that are mounted; throws Forbidden for folders of the machine. */
function namedVolumes(role: ProjectRole, host: Body): readonly string[] {
  const mayMount = role.allows.includes('host-mounts');
  const names: string[] = [];
  for (const bind of texts(host['Binds'])) {
    const { type, source } = parseBind(bind);
    if (type === 'volume') names.push(source);
    else if (!mayMount) throw beyond(role, `the mount ${bind} of the machine is not allowed`, 'host-mounts');
  }
  for (const mount of Array.isArray(host['Mounts']) ? (host['Mounts'] as unknown[]) : []) {
    if (!isObject(mount)) continue;
    if (mount['Type'] === 'volume') names.push(text(mount['Source']));
    const options = isObject(mount['VolumeOptions']) ? mount['VolumeOptions']['DriverConfig'] : undefined;
    const reaches = mount['Type'] === 'bind' || (isObject(options) && isFilled(options['Options']));
    if (reaches && !mayMount) throw beyond(role, `the mount at ${text(mount['Target'])} is not allowed`, 'host-mounts');
  }
  return names.filter((name) => name !== '');
}

async function claim(engine: Engine, role: ProjectRole, name: string): Promise<void> {
  const found =
    engine.volumes.find(name) ?? (await engine.volumes.create({ name, labels: { [projectLabel]: role.project } }));
  if (isOwn(role, found.labels)) return;
  throw new StatusError(
    'Forbidden',
    `This socket is for the project "${role.project}" only: volume ${name} belongs to somebody else; choose another name`,
  );
}

function hasAddress(logConfig: unknown): boolean {
  const options = isObject(logConfig) && isObject(logConfig['Config']) ? logConfig['Config'] : {};
  return Object.keys(options).some((key) => key.endsWith('-address'));
}

function isHost(value: unknown): boolean {
  return value === 'host';
}

function isText(value: unknown): boolean {
  return text(value) !== '';
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : isObject(value) && Object.keys(value).length > 0;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}
