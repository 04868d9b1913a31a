import type { Authorizer, Decision, ResourceAttributes } from '../authorizer.ts';
import { nodeRules } from '../rbac/default-roles.ts';
import { ruleAllows } from '../rbac/policy-rule.ts';
import { wellKnown, type UserInfo } from '../user.ts';
import type { NodeGraph, Reachable } from './node-graph.ts';

type Check = (node: string, attributes: ResourceAttributes, graph: NodeGraph) => Decision;

const allow: Decision = { verdict: 'allow', reason: '' };
const reading = ['get', 'list', 'watch'];

/** Kinds of which a node sees only its own part; all others are as the static rules say. */
const checks: Readonly<Record<string, Check>> = {
  '/secrets': (node, what, graph) => related(node, what, 'secrets', reading, graph),
  '/configmaps': (node, what, graph) => related(node, what, 'configmaps', reading, graph),
  '/persistentvolumeclaims': (node, what, graph) => related(node, what, 'persistentvolumeclaims', ['get'], graph),
  '/persistentvolumeclaims/status': (node, what, graph) =>
    related(node, what, 'persistentvolumeclaims', ['get', 'update', 'patch'], graph),
  '/persistentvolumes': (node, what, graph) => related(node, what, 'persistentvolumes', ['get'], graph),
  'storage.k8s.io/volumeattachments': (node, what, graph) => related(node, what, 'volumeattachments', ['get'], graph),
  '/serviceaccounts/token': (node, what, graph) =>
    what.verb === 'create' && what.name !== ''
      ? related(node, what, 'serviceaccounts', ['create'], graph)
      : none('can only create tokens for individual service accounts'),
  '/nodes': (node, what) => ownNode(node, what),
  '/pods': (node, what, graph) => ownPods(node, what, graph),
  'coordination.k8s.io/leases': (node, what) => ownLease(node, what),
  'storage.k8s.io/csinodes': (node, what) => ownCsiNode(node, what),
};

/** The name of the node whose agent a user is; undefined for others. */
export function nodeOf({ name, groups }: UserInfo): string | undefined {
  const isNode = name.startsWith(wellKnown.nodePrefix) && groups.includes(wellKnown.nodes);
  return isNode ? name.slice(wellKnown.nodePrefix.length) : undefined;
}

/** Lets node agents read what their own pods need, and write about themselves. */
export function nodeAuthorizer(graph: NodeGraph): Authorizer {
  const rules = nodeRules();
  return {
    authorize: (attributes) => {
      const node = nodeOf(attributes.user);
      if (node === undefined) return none('');
      if (attributes.type === 'resource') {
        const { group, resource, subresource } = attributes;
        const check = checks[`${group}/${resource}${subresource === '' ? '' : `/${subresource}`}`];
        if (check !== undefined) return check(node, attributes, graph);
      }
      return rules.some((rule) => ruleAllows(rule, attributes)) ? allow : none('');
    },
  };
}

/** Lists and watches count only when they are of one object, by metadata.name. */
function related(
  node: string,
  { verb, name, namespace }: ResourceAttributes,
  resource: Reachable | 'volumeattachments',
  verbs: readonly string[],
  graph: NodeGraph,
): Decision {
  if (!verbs.includes(verb)) return none(wrongVerb(verbs));
  if (name === '') return none('No Object name found');
  if (graph.reaches(node, resource, namespace, name)) return allow;
  return none(`no relationship found between node '${node}' and this object`);
}

function ownNode(node: string, { verb, name }: ResourceAttributes): Decision {
  if (reading.includes(verb)) {
    if (name === node) return allow;
    return none(`node '${node}' cannot read '${name}', only its own Node object`);
  }
  // NodeRestriction looks at what is written, where the name may not be known yet.
  return ['create', 'update', 'patch'].includes(verb) ? allow : none('');
}

function ownPods(node: string, { verb, name, namespace, fields }: ResourceAttributes, graph: NodeGraph): Decision {
  if (verb === 'get') {
    if (graph.reaches(node, 'pods', namespace, name)) return allow;
    return none(`no relationship found between node '${node}' and this object`);
  }
  if (verb === 'list' || verb === 'watch') {
    if (fields?.['spec.nodeName'] === node) return allow;
    if (name !== '' && graph.reaches(node, 'pods', namespace, name)) return allow;
    return none('can only list/watch pods with spec.nodeName field selector');
  }
  return ['create', 'delete'].includes(verb) ? allow : none('');
}

function ownLease(node: string, { verb, name, namespace }: ResourceAttributes): Decision {
  if (!['get', 'create', 'update', 'patch', 'delete'].includes(verb))
    return none('can only get, create, update, patch, or delete a node lease');
  if (namespace !== 'kube-node-lease') return none('can only access leases in the "kube-node-lease" system namespace');
  if (verb === 'create' || name === node) return allow;
  return none('can only access node lease with the same name as the requesting node');
}

function ownCsiNode(node: string, { verb, name }: ResourceAttributes): Decision {
  if (!['get', 'create', 'update', 'patch', 'delete'].includes(verb))
    return none('can only get, create, update, patch, or delete a CSINode');
  if (verb === 'create' || name === node) return allow;
  return none('can only access CSINode with the same name as the requesting node');
}

function none(reason: string): Decision {
  return { verdict: 'no-opinion', reason };
}

function wrongVerb(verbs: readonly string[]): string {
  if (verbs === reading) return 'can only read resources of this type';
  return verbs.length === 1
    ? 'can only get individual resources of this type'
    : `can only ${verbs.join('/')} this type`;
}
