import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { defaulted, type Fields, faultsOf, kindNamed, textOf } from '#kit/kube/faults-of.ts';
import { containerOf, inContainer, podOf } from '#kit/kube/pods.ts';

const allowed =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

/** What there was, what shall be, and what is wrong with that. */
const updates: readonly (readonly [string, Fields, Fields, readonly string[]])[] = [
  ['nothing changes', podOf({}), podOf({}), []],
  ['another image', podOf({}), inContainer({ image: 'j' }), []],
  [
    'one container more',
    podOf({}),
    podOf({ containers: [containerOf({}), containerOf({ name: 'b' })] }),
    ['spec.containers: Forbidden: pod updates may not add or remove containers'],
  ],
  [
    'another command',
    podOf({}),
    inContainer({ command: ['x'] }),
    [`spec: Forbidden: ${allowed}\n+  containers[0].command: ["x"]`],
  ],
  ['a deadline', podOf({}), podOf({ activeDeadlineSeconds: 5 }), []],
  [
    'a later deadline',
    podOf({ activeDeadlineSeconds: 5 }),
    podOf({ activeDeadlineSeconds: 6 }),
    ['spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to previous value'],
  ],
  [
    'no deadline any more',
    podOf({ activeDeadlineSeconds: 5 }),
    podOf({}),
    ['spec.activeDeadlineSeconds: Invalid value: "null": must not update from a positive integer to nil value'],
  ],
  ['one toleration more', podOf({}), podOf({ tolerations: [{ operator: 'Exists' }] }), []],
  [
    'one toleration less',
    podOf({ tolerations: [{ operator: 'Exists' }] }),
    podOf({}),
    ['spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds'],
  ],
  ['one gate less', podOf({ schedulingGates: [{ name: 'g' }] }), podOf({}), []],
  [
    'one gate more',
    podOf({}),
    podOf({ schedulingGates: [{ name: 'g' }] }),
    ["spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'g'"],
  ],
  ['narrowed while gated', podOf({ schedulingGates: [{ name: 'g' }] }), podOf({ nodeSelector: { a: 'b' } }), []],
  [
    'narrowed afterwards',
    podOf({}),
    podOf({ nodeSelector: { a: 'b' } }),
    [`spec: Forbidden: ${allowed}\n+  nodeSelector: {"a":"b"}`],
  ],
  [
    'a mirror',
    podOf({}),
    podOf({}, { annotations: { 'kubernetes.io/config.mirror': 'x' } }),
    ['metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not add mirror pod annotation'],
  ],
];

describe('pods that change', () => {
  for (const [name, old, fields, expected] of updates)
    test(name, () => assert.deepEqual(faultsOf('Pod', fields, old), expected));
});

describe('pods that change by subresources', () => {
  const check = (subresource: string, fields: Fields, old: Fields): readonly string[] =>
    [
      ...(kindNamed('Pod').subresourceRules?.[subresource]?.(defaulted('Pod', fields), defaulted('Pod', old)) ?? []),
    ].map(textOf);

  test('ephemeral containers can only be added', () => {
    const [one, two] = [containerOf({ name: 'one' }), containerOf({ name: 'two' })];
    assert.deepEqual(
      check('ephemeralcontainers', podOf({ ephemeralContainers: [one, two] }), podOf({ ephemeralContainers: [one] })),
      [],
    );
    assert.deepEqual(check('ephemeralcontainers', podOf({}), podOf({ ephemeralContainers: [one] })), [
      'spec.ephemeralContainers: Forbidden: existing ephemeral containers "one" may not be removed\n',
    ]);
    assert.deepEqual(
      check(
        'ephemeralcontainers',
        podOf({ ephemeralContainers: [{ ...one, image: 'j' }] }),
        podOf({ ephemeralContainers: [one] }),
      ),
      [
        'spec.ephemeralContainers: Forbidden: existing ephemeral containers "one" may not be changed\n-  image: "i"\n+  image: "j"',
      ],
    );
  });

  test('processor time and memory can be changed', () => {
    const withResources = (requests: Fields, limits: Fields): Fields =>
      inContainer({ resources: { requests, limits } });
    const old = withResources({ cpu: '1', memory: '1Gi' }, { memory: '2Gi' });
    assert.deepEqual(check('resize', withResources({ cpu: '2', memory: '1Gi' }, { memory: '3Gi' }), old), []);
    assert.deepEqual(check('resize', withResources({ memory: '1Gi' }, { memory: '1Gi' }), old), [
      'spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed',
      'spec.containers[0].resources.limits[memory]: Forbidden: memory limits cannot be decreased unless resizePolicy is RestartContainer',
    ]);
    assert.deepEqual(
      check(
        'resize',
        inContainer({ image: 'j', resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '2Gi' } } }),
        old,
      ),
      ['spec: Forbidden: only cpu and memory resources are mutable'],
    );
    assert.deepEqual(check('resize', inContainer({}), old).slice(0, 1), [
      'spec: Invalid value: "": Pod QOS Class may not change as a result of resizing',
    ]);
  });
});
