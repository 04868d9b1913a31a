import type { Container, HostAlias, PodDNSConfig, PodSpec, PodTemplateSpec } from '../../types/gen/core-v1.ts';
import { addressFaults } from '../addresses.ts';
import { duplicate, forbidden, invalid, invalids, notSupported, required } from '../faults.ts';
import { labelFaults, subdomainFaults } from '../names.ts';
import { annotationFaults, type Faults, labelMapFaults } from '../object-meta.ts';
import { requirementFaults, resourceNameFaults } from '../resources.ts';
import { choiceFaults, oneOfFaults } from '../values.ts';
import { allContainerFaults } from './containers.ts';
import { affinityFaults, gateFaults, spreadFaults, tolerationFaults } from './scheduling.ts';
import { hostUserFaults, podSecurityFaults } from './security.ts';
import { volumeFaults } from './volumes.ts';

const largestInt = 2 ** 31 - 1;
const restartPolicies = ['Always', 'OnFailure', 'Never'];
const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];

/**
 * What is wrong with a pod's spec, after defaults (core/validation, ValidatePodSpec). `podName`: the name of a pod itself,
 * undefined for templates, which may leave more open.
 */
export function* podSpecFaults(spec: PodSpec, podName: string | undefined, path: string): Faults {
  if (spec.terminationGracePeriodSeconds === undefined) yield required(`${path}.terminationGracePeriodSeconds`);
  yield* volumeFaults(spec.volumes ?? [], podName ?? '', `${path}.volumes`);
  yield* resourceClaimFaults(spec, `${path}.resourceClaims`);
  yield* allContainerFaults(spec, path);
  if (spec.resources !== undefined) yield* podResourceFaults(spec, `${path}.resources`);
  yield* hostNetworkFaults(spec, podName !== undefined, `${path}.containers`);
  yield* oneOfFaults(`${path}.restartPolicy`, spec.restartPolicy, restartPolicies);
  yield* oneOfFaults(`${path}.dnsPolicy`, spec.dnsPolicy, dnsPolicies);
  yield* labelMapFaults(spec.nodeSelector, `${path}.nodeSelector`);
  yield* podSecurityFaults(spec, path);
  if (spec.affinity !== undefined) yield* affinityFaults(spec.affinity, `${path}.affinity`);
  yield* dnsFaults(spec.dnsConfig, spec.dnsPolicy, `${path}.dnsConfig`);
  yield* gateFaults(spec, path);
  yield* spreadFaults(spec.topologySpreadConstraints ?? [], `${path}.topologySpreadConstraints`);
  yield* hostUserFaults(spec, path);
  yield* nameFaults(spec, path);
  yield* tolerationFaults(spec.tolerations ?? [], `${path}.tolerations`);
  yield* hostAliasFaults(spec.hostAliases ?? [], `${path}.hostAliases`);
  yield* classFaults(spec, path);
  if (spec.overhead !== undefined) yield* requirementFaults({ limits: spec.overhead }, `${path}.overhead`, new Set());
  if (spec.os !== undefined) {
    if ((spec.os.name ?? '') === '') yield required(`${path}.os.name`, 'cannot be empty');
    else yield* choiceFaults(`${path}.os`, spec.os.name, ['linux', 'windows']);
  }
}

/** A template of pods (core/validation, ValidatePodTemplateSpec). */
export function* podTemplateFaults(template: PodTemplateSpec, path: string): Faults {
  yield* labelMapFaults(template.metadata?.labels, `${path}.labels`);
  yield* annotationFaults(template.metadata?.annotations, `${path}.annotations`);
  yield* podSpecFaults(template.spec ?? {}, undefined, `${path}.spec`);
  if ((template.spec?.ephemeralContainers ?? []).length > 0)
    yield forbidden(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template');
}

/** Templates of what keeps pods running: they restart always, and have no end. `owner` as upstream words it. */
export function* runningTemplateFaults(template: PodTemplateSpec, owner: string, path: string): Faults {
  yield* podTemplateFaults(template, path);
  yield* alwaysRunningFaults(template.spec ?? {}, owner, `${path}.spec`);
}

export function* alwaysRunningFaults(spec: PodSpec, owner: string, path: string): Faults {
  if (spec.restartPolicy !== 'Always')
    yield notSupported(`${path}.restartPolicy`, spec.restartPolicy ?? '', ['Always']);
  if (spec.activeDeadlineSeconds !== undefined)
    yield forbidden(`${path}.activeDeadlineSeconds`, `activeDeadlineSeconds in ${owner} is not Supported`);
}

function* nameFaults(spec: PodSpec, path: string): Faults {
  const {
    serviceAccountName = '',
    nodeName = '',
    activeDeadlineSeconds: deadline,
    hostname = '',
    subdomain = '',
  } = spec;
  if (serviceAccountName !== '')
    yield* invalids(`${path}.serviceAccountName`, serviceAccountName, subdomainFaults(serviceAccountName));
  if (nodeName !== '') yield* invalids(`${path}.nodeName`, nodeName, subdomainFaults(nodeName));
  if (deadline !== undefined && (deadline < 1 || deadline > largestInt))
    yield invalid(`${path}.activeDeadlineSeconds`, deadline, `must be between 1 and ${String(largestInt)}, inclusive`);
  if (hostname !== '') yield* invalids(`${path}.hostname`, hostname, labelFaults(hostname));
  if (subdomain !== '') yield* invalids(`${path}.subdomain`, subdomain, labelFaults(subdomain));
}

function* classFaults({ priorityClassName = '', runtimeClassName, preemptionPolicy }: PodSpec, path: string): Faults {
  if (priorityClassName !== '')
    yield* invalids(`${path}.priorityClassName`, priorityClassName, subdomainFaults(priorityClassName));
  if (runtimeClassName !== undefined)
    yield* invalids(`${path}.runtimeClassName`, runtimeClassName, subdomainFaults(runtimeClassName));
  if (preemptionPolicy !== undefined)
    yield* oneOfFaults(`${path}.preemptionPolicy`, preemptionPolicy, ['PreemptLowerPriority', 'Never']);
}

function* resourceClaimFaults({ resourceClaims = [] }: PodSpec, path: string): Faults {
  const names = new Set<string>();
  for (const [index, claim] of resourceClaims.entries()) {
    const at = `${path}[${String(index)}]`;
    const { name = '', resourceClaimName: direct, resourceClaimTemplateName: made } = claim;
    if (name === '') yield required(`${at}.name`);
    else if (names.has(name)) yield duplicate(`${at}.name`, name);
    else yield* invalids(`${at}.name`, name, labelFaults(name));
    names.add(name);
    if (direct !== undefined && made !== undefined)
      yield invalid(at, claim, 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified');
    if (direct === undefined && made === undefined)
      yield invalid(at, claim, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`');
    if (direct !== undefined) yield* invalids(`${at}.resourceClaimName`, direct, subdomainFaults(direct));
    if (made !== undefined) yield* invalids(`${at}.resourceClaimTemplateName`, made, subdomainFaults(made));
  }
}

function* podResourceFaults({ resources = {} }: PodSpec, path: string): Faults {
  if (resources.claims !== undefined)
    yield forbidden(`${path}.claims`, 'claims cannot be set for Resources at pod-level');
  yield* requirementFaults({ ...resources, claims: [] }, path, new Set(), podResourceNameFaults);
}

function* podResourceNameFaults(name: string, path: string): Faults {
  const faults = [...resourceNameFaults(name, path)];
  yield* faults;
  if (faults.length === 0 && name !== 'cpu' && name !== 'memory' && !name.startsWith('hugepages-'))
    yield notSupported(path, name, ['cpu', 'hugepages-', 'memory']);
}

/** On the network of the node a container's port is the node's. */
function* hostNetworkFaults({ hostNetwork, containers = [] }: PodSpec, isPod: boolean, path: string): Faults {
  if (hostNetwork !== true) return;
  for (const [index, container] of containers.entries()) {
    for (const [at, { hostPort = 0, containerPort = 0 }] of (container.ports ?? []).entries()) {
      if ((isPod || hostPort !== 0) && hostPort !== containerPort)
        yield invalid(
          `${path}[${String(index)}].ports[${String(at)}].hostPort`,
          hostPort,
          'must match `containerPort` when `hostNetwork` is true',
        );
    }
  }
}

const nameserversMost = 3;
const searchesMost = 32;
const searchCharactersMost = 2048;

function* dnsFaults(config: PodDNSConfig | undefined, policy: string | undefined, path: string): Faults {
  const { nameservers = [], searches = [], options = [] } = config ?? {};
  if (policy === 'None' && config === undefined) {
    yield required(path, 'must provide `dnsConfig` when `dnsPolicy` is None');
    return;
  }
  if (policy === 'None' && nameservers.length === 0) {
    yield required(`${path}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None');
    return;
  }
  if (nameservers.length > nameserversMost)
    yield invalid(`${path}.nameservers`, nameservers, 'must not have more than 3 nameservers');
  for (const [index, server] of nameservers.entries())
    yield* addressFaults(server, `${path}.nameservers[${String(index)}]`);
  if (searches.length > searchesMost)
    yield invalid(`${path}.searches`, searches, 'must not have more than 32 search paths');
  if (searches.join(' ').length > searchCharactersMost)
    yield invalid(
      `${path}.searches`,
      searches,
      'must not have more than 2048 characters (including spaces) in the search list',
    );
  for (const [index, search] of searches.entries()) {
    const domain = search.replace(/\.$/, '');
    if (search !== '.')
      yield* invalids(`${path}.searches[${String(index)}]`, domain, subdomainFaults(domain.replaceAll('_', 'a')));
  }
  for (const [index, { name = '' }] of options.entries())
    if (name === '') yield required(`${path}.options[${String(index)}]`, 'must not be empty');
}

function* hostAliasFaults(aliases: readonly HostAlias[], path: string): Faults {
  for (const [index, { ip = '', hostnames = [] }] of aliases.entries()) {
    const at = `${path}[${String(index)}]`;
    yield* addressFaults(ip, `${at}.ip`);
    for (const [host, hostname] of hostnames.entries())
      yield* invalids(`${at}.hostnames[${String(host)}]`, hostname, subdomainFaults(hostname));
  }
}

/** Containers by kind, each with the field that holds them. */
export function containersOf(spec: PodSpec): readonly (readonly [string, readonly Container[]])[] {
  return [
    ['containers', spec.containers ?? []],
    ['initContainers', spec.initContainers ?? []],
  ];
}
