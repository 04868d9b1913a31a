import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { ObjectMeta } from '../resource.ts';
import { faultText } from './faults.ts';
import { subdomainFaults } from './names.ts';
import {
  annotationFaults,
  coreFinalizerFaults,
  type Faults,
  immutable,
  labelMapFaults,
  metaFaults,
  metaUpdateFaults,
  negativeFaults,
} from './object-meta.ts';

function texts(faults: Faults): readonly string[] {
  return [...faults].map((fault) => `${fault.path}: ${faultText(fault)}`.replace(/ \(e\.g\. .*/, ''));
}

const create = (meta: ObjectMeta): readonly string[] => texts(metaFaults(meta, 'Namespaced', subdomainFaults));
const rule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";

describe('metadata of new objects', () => {
  test('needs a name and a namespace', () => {
    assert.deepEqual(create({ name: 'a', namespace: 'b' }), []);
    assert.deepEqual(create({}), [
      'metadata.name: Required value: name or generateName is required',
      'metadata.namespace: Required value',
    ]);
  });

  test('the names must follow the rules', () => {
    assert.deepEqual(create({ name: 'A', generateName: 'B-', namespace: 'c.d' }), [
      `metadata.generateName: Invalid value: "B-": ${rule}`,
      `metadata.name: Invalid value: "A": ${rule}`,
      'metadata.namespace: Invalid value: "c.d": must not contain dots',
    ]);
  });

  test('what belongs to the cluster has no namespace', () => {
    assert.deepEqual(texts(metaFaults({ name: 'a', namespace: 'b' }, 'Cluster', subdomainFaults)), [
      'metadata.namespace: Forbidden: not allowed on this type',
    ]);
  });

  test('labels, annotations, owners, finalizers', () => {
    const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u', controller: true };
    const faults = create({
      name: 'a',
      namespace: 'b',
      generation: -1,
      labels: { ok: 'fine', 'a b': '!' },
      annotations: { 'Upper/Case': '', '-': '' },
      ownerReferences: [
        owner,
        { ...owner, name: 'q' },
        { apiVersion: '', kind: '', name: '', uid: '' },
        { ...owner, kind: 'Event', controller: false },
      ],
      finalizers: ['orphan', 'foregroundDeletion', 'x y'],
    });
    assert.deepEqual(faults, [
      'metadata.generation: Invalid value: -1: must be greater than or equal to 0',
      "metadata.labels: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
      "metadata.labels: Invalid value: \"!\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
      "metadata.annotations: Invalid value: \"-\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
      `metadata.ownerReferences: Invalid value: ${JSON.stringify([owner, { ...owner, name: 'q' }, { apiVersion: '', kind: '', name: '', uid: '' }, { ...owner, kind: 'Event', controller: false }])}: Only one reference can have Controller set to true. Found "true" in references for p and q`,
      'metadata.ownerReferences[2].apiVersion: Invalid value: "": version must not be empty',
      'metadata.ownerReferences[2].kind: Invalid value: "": must not be empty',
      'metadata.ownerReferences[2].name: Invalid value: "": must not be empty',
      'metadata.ownerReferences[2].uid: Invalid value: "": must not be empty',
      `metadata.ownerReferences[3]: Invalid value: ${JSON.stringify({ ...owner, kind: 'Event', controller: false })}: /v1, Kind=Event is disallowed from being an owner`,
      "metadata.finalizers: Invalid value: \"x y\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
      'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion","x y"]: finalizer orphan and foregroundDeletion cannot be both set',
    ]);
  });

  test('kinds of the core take known finalizers and those with a domain', () => {
    assert.deepEqual(texts(coreFinalizerFaults({ finalizers: ['orphan', 'example.com/x', 'example.com'] })), [
      'metadata.finalizers[2]: Invalid value: "example.com": name is neither a standard finalizer name nor is it fully qualified',
    ]);
  });

  test('annotations have a size in all', () => {
    assert.deepEqual(texts(annotationFaults({ a: 'x'.repeat(256 * 1024) }, 'metadata.annotations')), [
      'metadata.annotations: Too long: may not be more than 262144 bytes',
    ]);
    assert.deepEqual(texts(labelMapFaults(undefined, 'x')), []);
  });
});

describe('metadata that replaces other', () => {
  const old: ObjectMeta = {
    name: 'a',
    namespace: 'b',
    uid: 'u',
    generation: 2,
    creationTimestamp: '2026-01-01T00:00:00Z',
  };

  test('may change what is not its identity', () => {
    assert.deepEqual(texts(metaUpdateFaults({ ...old, labels: { a: 'b' }, generation: 3 }, old)), []);
  });

  test('may not change what it is', () => {
    assert.deepEqual(texts(metaUpdateFaults({ name: 'c', generation: 1 }, old)), [
      'metadata.generation: Invalid value: 1: must not be decremented',
      'metadata.name: Invalid value: "c": field is immutable',
      'metadata.namespace: Invalid value: "null": field is immutable',
      'metadata.uid: Invalid value: "null": field is immutable',
      'metadata.creationTimestamp: Invalid value: "null": field is immutable',
    ]);
  });

  test('gets no finalizers when it is being deleted', () => {
    const dying = { ...old, deletionTimestamp: '2026-01-01T00:00:01Z', finalizers: ['a/b'] };
    assert.deepEqual(texts(metaUpdateFaults({ ...dying, finalizers: [] }, dying)), []);
    assert.deepEqual(texts(metaUpdateFaults({ ...dying, finalizers: ['a/b', 'a/c'] }, dying)), [
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a/c"}',
    ]);
  });

  test('helpers', () => {
    assert.deepEqual(texts(immutable('x', null, undefined)), []);
    assert.deepEqual(texts(negativeFaults('x', -2)), ['x: Invalid value: -2: must be greater than or equal to 0']);
    assert.deepEqual(texts(negativeFaults('x', undefined)), []);
  });
});
