import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import { selectorText } from '../../printing/labels.ts';
import type { NetworkPolicy, IPBlock, NetworkPolicyPeer, NetworkPolicyPort } from '../../types/gen/networking-v1.ts';
import { defineKind } from '../define-kind.ts';
import { containsPrefix, parsePrefix } from '#formats/ip-prefix.ts';
import { prefixFaults } from '../../validation/addresses.ts';
import { forbidden, invalid, invalids, required } from '../../validation/faults.ts';
import { portFaults } from '../../validation/names.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { protocols } from '../../validation/pod/containers.ts';
import { portReferenceFaults } from '../../validation/pod/probes.ts';
import { selectorFaults } from '../../validation/selectors.ts';
import { choiceFaults } from '../../validation/values.ts';

export const networkPolicy = defineKind<NetworkPolicy>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  shortNames: ['netpol'],
  columns: [
    nameColumn,
    text('Pod-Selector', 'Pods that it is about.', ({ spec }) => selectorText(spec?.podSelector)),
    ageColumn,
  ],
  generationOf: ['spec'],
  setDefaults,
  validate,
});

function setDefaults(object: NetworkPolicy): void {
  const spec = (object.spec ??= {});
  spec.podSelector ??= {};
  const rules = [...(spec.ingress ?? []), ...(spec.egress ?? [])];
  for (const port of rules.flatMap(({ ports }) => ports ?? [])) port.protocol ??= 'TCP';
  if ((spec.policyTypes ?? []).length > 0) return;
  spec.policyTypes = (spec.egress ?? []).length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
}

function* validate({ spec = {} }: NetworkPolicy): Faults {
  yield* selectorFaults(spec.podSelector, 'spec.podSelector');
  for (const [index, { ports = [], from = [] }] of (spec.ingress ?? []).entries()) {
    yield* portListFaults(ports, `spec.ingress[${String(index)}].ports`);
    yield* peerListFaults(from, `spec.ingress[${String(index)}].from`);
  }
  for (const [index, { ports = [], to = [] }] of (spec.egress ?? []).entries()) {
    yield* portListFaults(ports, `spec.egress[${String(index)}].ports`);
    yield* peerListFaults(to, `spec.egress[${String(index)}].to`);
  }
  const types = spec.policyTypes ?? [];
  if (types.length > 2) yield invalid('spec.policyTypes', types, 'may not specify more than two policyTypes');
  for (const [index, type] of types.entries())
    yield* choiceFaults(`spec.policyTypes[${String(index)}]`, type, ['Egress', 'Ingress']);
}

function* portListFaults(ports: readonly NetworkPolicyPort[], path: string): Faults {
  for (const [index, { protocol, port, endPort }] of ports.entries()) {
    const at = `${path}[${String(index)}]`;
    yield* choiceFaults(`${at}.protocol`, protocol, protocols);
    if (port !== undefined) yield* portReferenceFaults(port, `${at}.port`);
    if (endPort === undefined) continue;
    if (port === undefined) yield required(`${at}.port`, 'must be specified when `endPort` is specified');
    else if (typeof port === 'string')
      yield invalid(`${at}.endPort`, endPort, 'may not be specified when `port` is non-numeric');
    else {
      if (endPort < port) yield invalid(`${at}.endPort`, endPort, 'must be greater than or equal to `port`');
      yield* invalids(`${at}.endPort`, endPort, portFaults(endPort));
    }
  }
}

function* peerListFaults(peers: readonly NetworkPolicyPeer[], path: string): Faults {
  for (const [index, { podSelector, namespaceSelector, ipBlock }] of peers.entries()) {
    const at = `${path}[${String(index)}]`;
    yield* selectorFaults(podSelector, `${at}.podSelector`);
    yield* selectorFaults(namespaceSelector, `${at}.namespaceSelector`);
    const hasSelector = podSelector !== undefined || namespaceSelector !== undefined;
    if (ipBlock === undefined) {
      if (!hasSelector) yield required(at, 'must specify a peer');
      continue;
    }
    yield* blockFaults(ipBlock, `${at}.ipBlock`);
    if (hasSelector) yield forbidden(at, 'may not specify both ipBlock and another peer');
  }
}

function* blockFaults({ cidr = '', except = [] }: IPBlock, path: string): Faults {
  if (cidr === '') {
    yield required(`${path}.cidr`);
    return;
  }
  yield* prefixFaults(cidr, `${path}.cidr`);
  const outer = parsePrefix(cidr);
  for (const [index, text] of except.entries()) {
    const at = `${path}.except[${String(index)}]`;
    yield* prefixFaults(text, at);
    const inner = parsePrefix(text);
    const isInside =
      outer !== undefined && inner !== undefined && containsPrefix(outer, inner) && inner.length > outer.length;
    if (outer !== undefined && inner !== undefined && !isInside)
      yield invalid(at, text, 'must be a strict subset of `cidr`');
  }
}
