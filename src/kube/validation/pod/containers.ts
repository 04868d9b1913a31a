import type { Container, ContainerPort, EphemeralContainer, PodSpec } from '../../types/gen/core-v1.ts';
import { duplicate, forbidden, invalid, invalids, notFound, required } from '../faults.ts';
import { labelFaults, portFaults, portNameFaults } from '../names.ts';
import type { Faults } from '../object-meta.ts';
import { requirementFaults } from '../resources.ts';
import { oneOfFaults } from '../values.ts';
import { environmentFaults, environmentSourceFaults } from './environment.ts';
import { mountFaults, type Volumes } from './mounts.ts';
import { probeFaults } from './probes.ts';
import { securityFaults } from './security.ts';

export const protocols = ['SCTP', 'TCP', 'UDP'];

/** All containers of a pod (core/validation, validateContainers and its relatives). */
export function* allContainerFaults(spec: PodSpec, path: string): Faults {
  const context: Context = {
    spec,
    volumes: new Map((spec.volumes ?? []).map((volume) => [volume.name ?? '', volume])),
    claims: new Set((spec.resourceClaims ?? []).map(({ name = '' }) => name).filter((name) => name !== '')),
  };
  yield* mainFaults(context, `${path}.containers`);
  yield* initFaults(context, `${path}.initContainers`);
  yield* ephemeralFaults(context, `${path}.ephemeralContainers`);
}

/** What only pods are strict about, not templates. */
export function* imageSpaceFaults(containers: readonly Container[], path: string): Faults {
  for (const [index, { image = '' }] of containers.entries())
    if (image.trim() !== image)
      yield invalid(`${path}[${String(index)}].image`, image, 'must not have leading or trailing whitespace');
}

interface Context {
  readonly spec: PodSpec;
  readonly volumes: Volumes;
  readonly claims: ReadonlySet<string>;
}

function* mainFaults(context: Context, path: string): Faults {
  const containers = context.spec.containers ?? [];
  if (containers.length === 0) yield required(path);
  const names = new Set<string>();
  for (const [index, container] of containers.entries()) {
    const at = `${path}[${String(index)}]`;
    yield* containerFaults(container, context, at);
    yield* nameTakenFaults(container.name ?? '', names, at);
    yield* probeFaults(container, context.spec.terminationGracePeriodSeconds, at);
    if (container.restartPolicy !== undefined)
      yield forbidden(`${at}.restartPolicy`, 'may not be set for non-init containers');
  }
  yield* hostPortFaults(containers, path);
}

function* initFaults(context: Context, path: string): Faults {
  const names = new Set((context.spec.containers ?? []).map(({ name = '' }) => name));
  for (const [index, container] of (context.spec.initContainers ?? []).entries()) {
    const at = `${path}[${String(index)}]`;
    yield* containerFaults(container, context, at);
    if (container.restartPolicy !== undefined)
      yield* oneOfFaults(`${at}.restartPolicy`, container.restartPolicy || ' ', ['Always']);
    yield* nameTakenFaults(container.name ?? '', names, at);
    yield* hostPortFaults([container], path);
    if (container.restartPolicy === 'Always') {
      yield* probeFaults(container, context.spec.terminationGracePeriodSeconds, at);
      continue;
    }
    for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const)
      if (container[field] !== undefined)
        yield forbidden(`${at}.${field}`, 'may not be set for init containers without restartPolicy=Always');
  }
}

const notForEphemeral = [
  'ports',
  'resources',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
  'resizePolicy',
  'restartPolicy',
] as const satisfies (keyof EphemeralContainer)[];

function* ephemeralFaults(context: Context, path: string): Faults {
  const others = [...(context.spec.containers ?? []), ...(context.spec.initContainers ?? [])];
  const names = new Set(others.map(({ name = '' }) => name));
  for (const [index, container] of (context.spec.ephemeralContainers ?? []).entries()) {
    const at = `${path}[${String(index)}]`;
    yield* containerFaults(container, context, at);
    yield* imageSpaceFaults([container], path);
    yield* nameTakenFaults(container.name ?? '', names, at);
    const target = container.targetContainerName ?? '';
    if (target !== '' && !others.some(({ name }) => name === target))
      yield notFound(`${at}.targetContainerName`, target);
    const why = 'cannot be set for an Ephemeral Container';
    for (const field of notForEphemeral)
      if (Object.keys(container[field] ?? {}).length > 0 || typeof container[field] === 'string')
        yield forbidden(`${at}.${field}`, why);
    for (const [mount, { subPath = '', subPathExpr = '' }] of (container.volumeMounts ?? []).entries()) {
      if (subPath !== '') yield forbidden(`${at}.volumeMounts[${String(mount)}].subPath`, why);
      if (subPathExpr !== '') yield forbidden(`${at}.volumeMounts[${String(mount)}].subPathExpr`, why);
    }
  }
}

/** The rules for containers of every kind. */
function* containerFaults(container: Container, { spec, volumes, claims }: Context, path: string): Faults {
  const { name = '', image = '' } = container;
  if (name === '') yield required(`${path}.name`);
  else yield* invalids(`${path}.name`, name, labelFaults(name));
  if (image === '') yield required(`${path}.image`);
  const messagePolicies = ['File', 'FallbackToLogsOnError'];
  yield* oneOfFaults(`${path}.terminationMessagePolicy`, container.terminationMessagePolicy, messagePolicies);
  yield* containerPortFaults(container.ports ?? [], `${path}.ports`);
  yield* environmentFaults(container.env ?? [], `${path}.env`);
  yield* environmentSourceFaults(container.envFrom ?? [], `${path}.envFrom`);
  yield* mountFaults(container, volumes, path);
  yield* oneOfFaults(`${path}.imagePullPolicy`, container.imagePullPolicy, ['Always', 'IfNotPresent', 'Never']);
  yield* requirementFaults(container.resources ?? {}, `${path}.resources`, claims);
  yield* resizeFaults(container, spec, `${path}.resizePolicy`);
  yield* securityFaults(container.securityContext, `${path}.securityContext`, spec.hostUsers !== false);
}

function* containerPortFaults(ports: readonly ContainerPort[], path: string): Faults {
  const names = new Set<string>();
  for (const [index, { name = '', containerPort = 0, hostPort = 0, protocol }] of ports.entries()) {
    const at = `${path}[${String(index)}]`;
    const faults = name === '' ? [] : portNameFaults(name);
    yield* invalids(`${at}.name`, name, faults);
    if (name !== '' && faults.length === 0) yield* nameTakenFaults(name, names, at);
    if (containerPort === 0) yield required(`${at}.containerPort`);
    else yield* invalids(`${at}.containerPort`, containerPort, portFaults(containerPort));
    if (hostPort !== 0) yield* invalids(`${at}.hostPort`, hostPort, portFaults(hostPort));
    yield* oneOfFaults(`${at}.protocol`, protocol, protocols);
  }
}

function* resizeFaults({ resizePolicy = [] }: Container, { restartPolicy }: PodSpec, path: string): Faults {
  const seen = new Set<string>();
  for (const [index, policy] of resizePolicy.entries()) {
    const { resourceName = '' } = policy;
    if (seen.has(resourceName)) yield duplicate(`${path}[${String(index)}]`, resourceName);
    seen.add(resourceName);
    yield* oneOfFaults(path, resourceName, ['cpu', 'memory']);
    yield* oneOfFaults(path, policy.restartPolicy, ['NotRequired', 'RestartContainer']);
    if (restartPolicy === 'Never' && policy.restartPolicy !== 'NotRequired')
      yield invalid(path, policy.restartPolicy ?? '', "must be 'NotRequired' when `restartPolicy` is 'Never'");
  }
}

function* nameTakenFaults(name: string, taken: Set<string>, path: string): Faults {
  if (taken.has(name)) yield duplicate(`${path}.name`, name);
  else if (name !== '') taken.add(name);
}

/** A port of the node can be had once for each protocol and address. */
function* hostPortFaults(containers: readonly Container[], path: string): Faults {
  const taken = new Set<string>();
  for (const [index, { ports = [] }] of containers.entries()) {
    for (const [at, { hostPort = 0, protocol = '', hostIP = '' }] of ports.entries()) {
      if (hostPort === 0) continue;
      const key = `${protocol}/${hostIP}/${String(hostPort)}`;
      if (taken.has(key)) yield duplicate(`${path}[${String(index)}].ports[${String(at)}].hostPort`, key);
      taken.add(key);
    }
  }
}
