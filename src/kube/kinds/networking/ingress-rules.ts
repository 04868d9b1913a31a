import { parseAddress } from '#formats/ip-address.ts';

import type { HTTPIngressPath, Ingress, IngressBackend } from '../../types/gen/networking-v1.ts';
import { invalid, invalids, notSupported, required } from '../../validation/faults.ts';
import { dns1035Faults, portFaults, portNameFaults, subdomainFaults, wildcardFaults } from '../../validation/names.ts';
import type { Faults } from '../../validation/object-meta.ts';

const classAnnotation = 'kubernetes.io/ingress.class';
const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix'];
const forbiddenParts = ['//', '/./', '/../', '%2f', '%2F'];
const forbiddenEnds = ['/..', '/.'];

/** What is wrong with an ingress (networking/validation, ValidateIngress). */
export function* ingressFaults({ metadata, spec = {} }: Ingress, old: Ingress | undefined): Faults {
  const { defaultBackend, rules = [], tls = [], ingressClassName } = spec;
  const annotation = metadata.annotations?.[classAnnotation];
  if (old === undefined && annotation !== undefined && ingressClassName !== undefined)
    yield invalid(`annotations.${classAnnotation}`, annotation, 'can not be set when the class field is also set');
  if (rules.length === 0 && defaultBackend === undefined)
    yield invalid('spec', rules, 'either `defaultBackend` or `rules` must be specified');
  if (defaultBackend !== undefined) yield* backendFaults(defaultBackend, 'spec.defaultBackend');
  for (const [index, { host = '', http }] of rules.entries()) {
    const at = `spec.rules[${String(index)}]`;
    if (host !== '') yield* hostFaults(host, `${at}.host`);
    if (http === undefined) continue;
    if ((http.paths ?? []).length === 0) yield required(`${at}.http.paths`);
    for (const [place, path] of (http.paths ?? []).entries())
      yield* pathFaults(path, `${at}.http.paths[${String(place)}]`);
  }
  for (const [index, { hosts = [] }] of tls.entries())
    for (const [place, host] of hosts.entries())
      yield* invalids(
        `spec.tls[${String(index)}].hosts[${String(place)}]`,
        host,
        host.includes('*') ? wildcardFaults(host) : subdomainFaults(host),
      );
  if (ingressClassName !== undefined)
    yield* invalids('spec.ingressClassName', ingressClassName, subdomainFaults(ingressClassName));
}

function* hostFaults(host: string, path: string): Faults {
  if (parseAddress(host) !== undefined) yield invalid(path, host, 'must be a DNS name, not an IP address');
  yield* invalids(path, host, host.includes('*') ? wildcardFaults(host) : subdomainFaults(host));
}

function* pathFaults({ path: target = '', pathType, backend = {} }: HTTPIngressPath, path: string): Faults {
  if (pathType === undefined) yield required(`${path}.pathType`, 'pathType must be specified');
  else if (!pathTypes.includes(pathType)) yield notSupported(`${path}.pathType`, pathType, pathTypes);
  else if (pathType === 'ImplementationSpecific') {
    if (target !== '' && !target.startsWith('/')) yield invalid(`${path}.path`, target, 'must be an absolute path');
  } else {
    if (!target.startsWith('/')) yield invalid(`${path}.path`, target, 'must be an absolute path');
    for (const part of forbiddenParts)
      if (target.includes(part)) yield invalid(`${path}.path`, target, `must not contain '${part}'`);
    for (const end of forbiddenEnds)
      if (target.endsWith(end)) yield invalid(`${path}.path`, target, `cannot end with '${end}'`);
  }
  yield* backendFaults(backend, `${path}.backend`);
}

function* backendFaults({ service, resource }: IngressBackend, path: string): Faults {
  if (service !== undefined && resource !== undefined) {
    yield invalid(path, '', 'cannot set both resource and service backends');
    return;
  }
  if (resource !== undefined) {
    if ((resource.kind ?? '') === '') yield required(`${path}.resource.kind`);
    if ((resource.name ?? '') === '') yield required(`${path}.resource.name`);
    return;
  }
  if (service === undefined) {
    yield required(path, 'cannot be empty');
    return;
  }
  const { name = '', port: { name: portName = '', number = 0 } = {} } = service;
  const at = `${path}.service`;
  if (name === '') yield required(`${at}.name`);
  else yield* invalids(`${at}.name`, name, dns1035Faults(name));
  if (portName !== '' && number !== 0) yield invalid(at, '', 'cannot set both port name & port number');
  else if (portName !== '') yield* invalids(`${at}.port.name`, portName, portNameFaults(portName));
  else if (number !== 0) yield* invalids(`${at}.port.number`, number, portFaults(number));
  else yield required(at, 'port name or number is required');
}
