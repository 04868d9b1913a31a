import { StatusError } from '#base/errors.ts';
import type { Container } from '#engine/runtime/container.ts';

import type { Context } from '../context.ts';
import type { Filters } from '../http/filters.ts';
import { namePattern } from '../text/name-pattern.ts';
import { originOf } from '../translate/origin.ts';
import { parseContainerPorts } from '../translate/ports.ts';

export const containerFilterNames: readonly string[] = [
  'ancestor',
  'before',
  'exited',
  'expose',
  'health',
  'id',
  'is-task',
  'isolation',
  'label',
  'name',
  'network',
  'publish',
  'since',
  'status',
  'volume',
];

const statuses = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];
const healths = ['none', 'starting', 'healthy', 'unhealthy'];

/** Compiles the filters of GET /containers/json; throws InvalidArgument for values that none of them can have. */
export function containerFilter({ engine }: Context, filters: Filters): (container: Container) => boolean {
  checkWords(filters, 'status', statuses);
  checkWords(filters, 'health', healths);
  const exitCodes = filters.values('exited').map(parseExitCode);
  const names = filters.values('name').map(namePattern);
  const ancestors = ancestorIds(engine, filters);
  const published = portKeys(filters, 'publish');
  const exposed = portKeys(filters, 'expose');
  const before = filters.values('before').map((name) => engine.containers.get(name).createdAt);
  const since = filters.values('since').map((name) => engine.containers.get(name).createdAt);
  const isTask = filters.flag('is-task') ?? false;
  return (container) => {
    const { state, spec } = container;
    const stopped = state.status === 'exited' || state.status === 'dead';
    return (
      !isTask &&
      filters.equals('isolation', 'default') &&
      filters.any('id', (wanted) => container.id.startsWith(wanted)) &&
      (names.length === 0 || names.some((match) => match(container.name) || match(`/${container.name}`))) &&
      filters.equals('status', state.status) &&
      filters.equals('health', state.health?.status ?? 'none') &&
      (exitCodes.length === 0 || (stopped && exitCodes.includes(state.exitCode))) &&
      filters.labels('label', spec.labels) &&
      (ancestors === undefined || ancestors.has(spec.imageId)) &&
      before.every((time) => container.createdAt < time) &&
      since.every((time) => container.createdAt > time) &&
      matchesPorts(published, publishedKeys(container)) &&
      matchesPorts(exposed, exposedKeys(container)) &&
      filters.any('network', (wanted) => onNetwork(engine, container, wanted)) &&
      filters.any('volume', (wanted) =>
        container.mounts.some(({ name, source, destination }) => [name, source, destination].includes(wanted)),
      )
    );
  };
}

/** The images that the filter names, and all that were built on them. */
function ancestorIds({ images }: Context['engine'], filters: Filters): ReadonlySet<string> | undefined {
  if (!filters.has('ancestor')) return undefined;
  const tops = filters.values('ancestor').flatMap((name) => images.find(name) ?? []);
  const ids = new Set<string>(tops.map(({ id }) => id));
  const prefixes = tops.map(({ config }) => config.rootfs.diff_ids);
  for (const image of images.list()) {
    const layers = image.config.rootfs.diff_ids;
    const builtOn = prefixes.some((prefix) => prefix.length > 0 && prefix.every((id, index) => layers[index] === id));
    if (builtOn) ids.add(image.id);
  }
  return ids;
}

function onNetwork({ networks }: Context['engine'], container: Container, wanted: string): boolean {
  const { mode, endpoints } = container.spec.network;
  if (mode === 'none' || mode === 'host') return wanted === mode || networks.find(wanted)?.name === mode;
  const id = networks.find(wanted)?.id;
  return endpoints.some(({ network }) => network === wanted || (id !== undefined && networks.find(network)?.id === id));
}

function portKeys(filters: Filters, name: string): readonly string[] {
  return filters
    .values(name)
    .flatMap((text) => parseContainerPorts(text).map(({ port, protocol }) => `${String(port)}/${protocol}`));
}

function matchesPorts(wanted: readonly string[], there: readonly string[]): boolean {
  return wanted.length === 0 || wanted.some((key) => there.includes(key));
}

function publishedKeys(container: Container): readonly string[] {
  const ports = container.sandbox?.ports ?? container.spec.network.ports;
  return ports.flatMap(({ containerPort, hostPort, protocol }) => [
    `${String(containerPort)}/${protocol}`,
    `${String(hostPort)}/${protocol}`,
  ]);
}

function exposedKeys(container: Container): readonly string[] {
  const exposed = Object.keys(originOf(container.spec).config.ExposedPorts ?? {});
  return exposed.flatMap((text) =>
    parseContainerPorts(text).map(({ port, protocol }) => `${String(port)}/${protocol}`),
  );
}

function parseExitCode(text: string): number {
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new StatusError('InvalidArgument', `invalid filter 'exited=${text}'`);
}

function checkWords(filters: Filters, name: string, known: readonly string[]): void {
  const unknown = filters.values(name).find((value) => !known.includes(value));
  if (unknown === undefined) return;
  throw new StatusError('InvalidArgument', `invalid filter '${name}=${unknown}'; use one of ${known.join(', ')}`);
}
