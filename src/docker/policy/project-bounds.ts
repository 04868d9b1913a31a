import { StatusError } from '#base/errors.ts';
import type { Engine } from '#engine/engine.ts';

import { projectLabel, type ProjectRole } from './role.ts';

export function isOwn({ project }: ProjectRole, labels: Readonly<Record<string, string>>): boolean {
  return labels[projectLabel] === project;
}

/** Throws NotFound in the words for one that is not there, for those of others too. */
export function containerIn(engine: Engine, role: ProjectRole, nameOrId: string): void {
  const container = engine.containers.find(nameOrId);
  if (container !== undefined && isOwn(role, container.spec.labels)) return;
  throw new StatusError('NotFound', `No such container: ${nameOrId}`);
}

export function networkIn(engine: Engine, role: ProjectRole, name: string): void {
  const network = engine.networks.find(name);
  if (network !== undefined && isOwn(role, network.labels)) return;
  if (network !== undefined && isPredefined(network.name))
    throw new StatusError(
      'Forbidden',
      `This socket is for the project "${role.project}" only: network ${name} is everybody's`,
    );
  throw new StatusError('NotFound', `network ${name} not found`);
}

export function volumeIn(engine: Engine, role: ProjectRole, name: string): void {
  const volume = engine.volumes.find(name);
  if (volume !== undefined && isOwn(role, volume.labels)) return;
  throw new StatusError('NotFound', `get ${name}: no such volume`);
}

/** What a project's clients may do only with an allowance. */
export function beyond(role: ProjectRole, state: string, allowance: string): StatusError {
  return new StatusError(
    'Forbidden',
    `This socket is for the project "${role.project}" only: ${state}; use the administrator's socket, or have ` +
      `"${allowance}" allowed in docker.sockets`,
  );
}

function isPredefined(name: string): boolean {
  return name === 'bridge' || name === 'host' || name === 'none';
}
