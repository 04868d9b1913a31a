import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { noExtensions } from '#formats/x509/extensions.ts';
import { nameOf } from '#formats/x509/name.ts';
import { admissionRequest } from '#kit/kube-auth/admission-request.ts';
import { admit } from '#kit/kube-auth/admit.ts';
import { MemoryObjects } from '#kit/kube-auth/memory-objects.ts';
import type { Resource } from '#kube/resource.ts';
import type { CertificateSigningRequest } from '#kube/types/gen/certificates-v1.ts';
import { newKey } from '#pki/key-file.ts';
import { makeSigningRequest } from '#pki/signing-request.ts';

import type { Authorizer } from '../../auth/authorizer.ts';
import { RbacIndex } from '../../auth/rbac/rbac-index.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './certificates.ts';
import { nodeRestriction } from './node-restriction.ts';
import { roleEscalation } from './role-escalation.ts';

const agent = { name: 'system:node:n', uid: '', groups: ['system:nodes'], extra: {} };
const jane = { name: 'jane', uid: '7', groups: ['dev'], extra: { scopes: ['a'] } };

function object(kind: string, name: string, parts: Record<string, unknown> = {}, metadata: object = {}): Resource {
  return { apiVersion: 'v1', kind, metadata: { name, namespace: 'default', ...metadata }, ...parts };
}

async function refusal(plugin: AdmissionPlugin, request: AdmissionRequest): Promise<string | undefined> {
  return (await admit(plugin, request))?.replace(/^.*? is forbidden: /, '');
}

const about = (group: string, resource: string, subresource = ''): Partial<AdmissionRequest> => ({
  resource: { group, version: 'v1', resource },
  subresource,
});

describe('NodeRestriction', () => {
  const pod = object('Pod', 'p', { spec: { nodeName: 'n' } }, { uid: 'u', labels: { a: 'b' } });
  const elsewhere = object('Pod', 'q', { spec: { nodeName: 'm' } }, { uid: 'v' });
  const plugin = nodeRestriction(new MemoryObjects([pod, elsewhere]));
  const ask = async (parts: Partial<AdmissionRequest>): Promise<string | undefined> =>
    await refusal(plugin, admissionRequest({ user: agent, ...parts }));

  test('others are not asked, but who claims to be a node must say which', async () => {
    assert.equal(await ask({ user: jane, object: pod }), undefined);
    const nameless = { ...agent, name: 'node' };
    assert.equal(await ask({ user: nameless, object: pod }), 'could not determine node from user "node"');
  });

  const owner = { apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'x', controller: true };
  const annotations = { 'kubernetes.io/config.mirror': 'x' };
  const mirror = (spec: object, metadata: object = { annotations, ownerReferences: [owner] }): Resource =>
    object('Pod', 'm', { spec: { nodeName: 'n', ...spec } }, metadata);

  test('pods: mirrors of its own', async () => {
    assert.equal(await ask({ object: mirror({}) }), undefined);
    const rows: readonly (readonly [Resource, RegExp])[] = [
      [pod, /does not have "kubernetes.io\/config.mirror" annotation/],
      [mirror({ nodeName: 'm' }), /can only create pods with spec.nodeName set to itself/],
      [mirror({}, { annotations }), /owner reference set to itself/],
      [mirror({}, { annotations, ownerReferences: [{ ...owner, blockOwnerDeletion: true }] }), /owner reference/],
      [mirror({ serviceAccountName: 'x' }), /can not create pods that reference a service account/],
      [mirror({ volumes: [{ name: 'v', secret: {} }] }), /can not create pods that reference secrets/],
      [mirror({ volumes: [{ name: 'v', configMap: {} }] }), /can not create pods that reference configmaps/],
    ];
    for (const [object, text] of rows) assert.match((await ask({ object })) ?? '', text);
    assert.match(
      (await ask({ operation: 'UPDATE', object: pod, oldObject: pod })) ?? '',
      /unexpected operation "UPDATE"/,
    );
  });

  test('pods: deletes, reports and evicts those that run there', async () => {
    assert.equal(await ask({ operation: 'DELETE', oldObject: pod }), undefined);
    assert.match(
      (await ask({ operation: 'DELETE', oldObject: elsewhere })) ?? '',
      /can only delete pods with spec.nodeName/,
    );
    const status = { ...about('', 'pods', 'status'), operation: 'UPDATE' } as const;
    assert.equal(await ask({ ...status, object: pod, oldObject: pod }), undefined);
    assert.match(
      (await ask({ ...status, object: elsewhere, oldObject: elsewhere })) ?? '',
      /can only update pod status/,
    );
    const relabelled = { ...pod, metadata: { ...pod.metadata, labels: {} } };
    assert.match(
      (await ask({ ...status, object: relabelled, oldObject: pod })) ?? '',
      /cannot update labels through pod status/,
    );
    const evict = { ...about('', 'pods', 'eviction'), object: object('Eviction', 'p') };
    assert.equal(await ask({ ...evict, name: 'p' }), undefined);
    assert.match((await ask({ ...evict, object: object('Eviction', 'q'), name: 'q' })) ?? '', /can only evict pods/);
  });

  test('nodes: itself, without taints and labels of others', async () => {
    const node = (labels: Record<string, string>, spec: object = {}, name = 'n'): Resource =>
      object('Node', name, { spec }, { labels });
    const nodes = about('', 'nodes');
    assert.equal(
      await ask({ ...nodes, object: node({ 'kubernetes.io/hostname': 'n', mine: 'x', 'node.kubernetes.io/y': '' }) }),
      undefined,
    );
    assert.equal(await ask({ ...nodes, object: node({}, {}, 'm') }), 'node "n" is not allowed to modify node "m"');
    const reserved = node({ 'node-restriction.kubernetes.io/x': '', 'a.k8s.io/y': '' });
    assert.equal(
      await ask({ ...nodes, object: reserved }),
      'node "n" is not allowed to set the following labels: a.k8s.io/y, node-restriction.kubernetes.io/x',
    );
    const update = { ...nodes, operation: 'UPDATE', name: 'n' } as const;
    assert.equal(await ask({ ...update, object: reserved, oldObject: reserved }), undefined);
    assert.match(
      (await ask({ ...update, object: node({}), oldObject: reserved })) ?? '',
      /allowed to modify the following labels/,
    );
    const tainted = node({}, { taints: [{ key: 'a', effect: 'NoSchedule' }] });
    assert.equal(
      await ask({ ...update, object: node({}), oldObject: tainted }),
      'node "n" is not allowed to modify taints',
    );
  });

  test('tokens: bound to a pod that runs there', async () => {
    const token = (bound: object, audiences: readonly string[] = []): Partial<AdmissionRequest> => ({
      ...about('', 'serviceaccounts', 'token'),
      object: object('TokenRequest', '', { spec: { boundObjectRef: bound, audiences } }),
    });
    const own = { kind: 'Pod', name: 'p', uid: 'u' };
    assert.equal(await ask(token(own)), undefined);
    assert.equal(await ask(token(own, ['https://kubernetes.default.svc.cluster.local'])), undefined);
    const rows: readonly (readonly [Partial<AdmissionRequest>, string])[] = [
      [token({}), 'node requested token not bound to a pod'],
      [token({ kind: 'Pod', name: 'p' }), 'node requested token with a pod binding without a uid'],
      [token({ kind: 'Pod', name: 'x', uid: 'u' }), 'pod "x" not found'],
      [token({ ...own, uid: 'old' }), 'the UID in the bound object reference (old) does not match the UID in record'],
      [
        token({ kind: 'Pod', name: 'q', uid: 'v' }),
        'node requested token bound to a pod scheduled on a different node',
      ],
      [token(own, ['vault']), 'audience "vault" not found in pod spec volume'],
    ];
    for (const [request, text] of rows) assert.equal(await ask(request), text);
  });

  test('leases and CSINodes: its own', async () => {
    const lease = { ...about('coordination.k8s.io', 'leases'), namespace: 'kube-node-lease' };
    assert.equal(await ask({ ...lease, object: object('Lease', 'n') }), undefined);
    assert.match((await ask({ ...lease, object: object('Lease', 'm') })) ?? '', /same name as the requesting node/);
    assert.match((await ask({ ...lease, namespace: 'x', object: object('Lease', 'n') })) ?? '', /"kube-node-lease"/);
    const csi = about('storage.k8s.io', 'csinodes');
    assert.equal(await ask({ ...csi, object: object('CSINode', 'n') }), undefined);
    assert.match((await ask({ ...csi, object: object('CSINode', 'm') })) ?? '', /can only access CSINode/);
  });
});

describe('certificates', () => {
  const asked: string[] = [];
  const authorizer = (allowed: string): Authorizer => ({
    authorize: (attributes) => {
      const text = attributes.type === 'resource' ? `${attributes.verb} ${attributes.resource} ${attributes.name}` : '';
      asked.push(text);
      return { verdict: text === allowed ? 'allow' : 'no-opinion', reason: '' };
    },
  });
  const csr = (signerName: string, groups: readonly string[], status: object = {}): Resource => ({
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: 'c' },
    spec: {
      signerName,
      username: 'forged',
      request: Buffer.from(
        makeSigningRequest({ subject: nameOf('x', groups), extensions: noExtensions }, newKey()),
      ).toString('base64'),
    },
    status,
  });
  const about = (subresource: string): Partial<AdmissionRequest> => ({
    resource: { group: 'certificates.k8s.io', version: 'v1', resource: 'certificatesigningrequests' },
    subresource,
    user: jane,
  });
  const old = csr('example.org/x', []);
  const ask = async (plugin: AdmissionPlugin, parts: Partial<AdmissionRequest>): Promise<string | undefined> =>
    await refusal(plugin, admissionRequest(parts));

  test('are approved and signed by whom the signer lets', async () => {
    const approve = { ...about('approval'), operation: 'UPDATE', object: old, oldObject: old } as const;
    assert.equal(await ask(certificateApproval(authorizer('approve signers example.org/x')), approve), undefined);
    assert.equal(await ask(certificateApproval(authorizer('approve signers example.org/*')), approve), undefined);
    assert.equal(
      await ask(certificateApproval(authorizer('')), approve),
      'user not permitted to approve requests with signerName "example.org/x"',
    );
    const sign = { ...approve, ...about('status'), object: csr('example.org/x', [], { certificate: 'x' }) };
    assert.equal(await ask(certificateSigning(authorizer('sign signers example.org/x')), sign), undefined);
    assert.match((await ask(certificateSigning(authorizer('')), sign)) ?? '', /not permitted to sign requests/);
    asked.length = 0;
    assert.equal(await ask(certificateSigning(authorizer('')), { ...sign, object: old }), undefined);
    assert.deepEqual(asked, []);
  });

  test('tell who asked, and make nobody a master', async () => {
    const made = csr('kubernetes.io/kube-apiserver-client', ['dev']) as CertificateSigningRequest;
    assert.equal(await ask(certificateSubjectRestriction(), { ...about(''), object: made }), undefined);
    assert.deepEqual(
      [made.spec?.username, made.spec?.uid, made.spec?.groups, made.spec?.extra],
      ['jane', '7', ['dev'], { scopes: ['a'] }],
    );
    const masters = csr('kubernetes.io/kube-apiserver-client', ['system:masters']);
    assert.equal(
      await ask(certificateSubjectRestriction(), { ...about(''), object: masters }),
      'use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
    );
    assert.equal(
      await ask(certificateSubjectRestriction(), { ...about(''), object: csr('a.b/c', ['system:masters']) }),
      undefined,
    );
  });
});

describe('RoleEscalation', () => {
  const none: Authorizer = { authorize: () => ({ verdict: 'no-opinion', reason: '' }) };
  const group = 'rbac.authorization.k8s.io';
  const ask = async (resource: string, object: Resource, oldObject?: Resource): Promise<string | undefined> =>
    await refusal(
      roleEscalation(new RbacIndex(), none),
      admissionRequest({
        user: jane,
        resource: { group, version: 'v1', resource },
        operation: oldObject === undefined ? 'CREATE' : 'UPDATE',
        object,
        oldObject,
      }),
    );
  const role = (rules: readonly object[], metadata: object = {}): Resource => object('Role', 'r', { rules }, metadata);

  test('roles and bindings are looked at when they change', async () => {
    const rules = [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }];
    assert.match((await ask('roles', role(rules))) ?? '', /attempting to grant RBAC permissions not currently held/);
    assert.equal(await ask('roles', role([])), undefined);
    assert.equal(await ask('roles', role(rules, { labels: { a: 'b' } }), role(rules)), undefined);
    const binding = (subjects: readonly object[]): Resource =>
      object('RoleBinding', 'b', { roleRef: { kind: 'Role', name: 'r' }, subjects });
    assert.match((await ask('rolebindings', binding([]))) ?? '', /roles.rbac.authorization.k8s.io "r" not found/);
    assert.equal(await ask('rolebindings', binding([]), binding([])), undefined);
    assert.match((await ask('rolebindings', binding([{ kind: 'User', name: 'x' }]), binding([]))) ?? '', /not found/);
  });
});
