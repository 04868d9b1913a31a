import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { admissionRequest } from '#kit/kube-auth/admission-request.ts';
import { about, admit, objectOf, podOf } from '#kit/kube-auth/admit.ts';
import { MemoryObjects } from '#kit/kube-auth/memory-objects.ts';
import type { Pod } from '#kube/types/gen/core-v1.ts';

import type { AdmissionPlugin } from '../admission.ts';
import { limitRanger } from './limit-ranger.ts';

describe('LimitRanger', () => {
  const range = (item: object): AdmissionPlugin =>
    limitRanger(new MemoryObjects([objectOf('LimitRange', 'r', { spec: { limits: [item] } })]));

  test('containers get what they do not say, and the pod tells', async () => {
    const plugin = range({ type: 'Container', default: { cpu: '1' }, defaultRequest: { cpu: '100m', memory: '1Gi' } });
    const pod = podOf({
      containers: [{ name: 'a' }, { name: 'b', resources: { requests: { cpu: '2' }, limits: { cpu: '3' } } }],
    });
    assert.equal(await admit(plugin, admissionRequest({ object: pod })), undefined);
    assert.deepEqual(
      pod.spec?.containers?.map(({ resources }) => resources),
      [
        { requests: { cpu: '100m', memory: '1Gi' }, limits: { cpu: '1' } },
        { requests: { cpu: '2', memory: '1Gi' }, limits: { cpu: '3' } },
      ],
    );
    assert.equal(
      pod.metadata.annotations?.['kubernetes.io/limit-ranger'],
      'LimitRanger plugin set: cpu, memory request for container a; cpu limit for container a; memory request for container b',
    );
  });

  const container = (requests: Record<string, string>, limits: Record<string, string>): Pod =>
    podOf({ containers: [{ name: 'a', resources: { requests, limits } }] });
  const rows: readonly (readonly [object, Pod, string | undefined])[] = [
    [
      { type: 'Container', min: { cpu: '100m' } },
      container({ cpu: '50m' }, {}),
      'minimum cpu usage per Container is 100m, but request is 50m',
    ],
    [
      { type: 'Container', min: { cpu: '100m' } },
      container({}, {}),
      'minimum cpu usage per Container is 100m.  No request is specified',
    ],
    [
      { type: 'Container', max: { cpu: '1' } },
      container({}, { cpu: '2' }),
      'maximum cpu usage per Container is 1, but limit is 2',
    ],
    [
      { type: 'Container', max: { cpu: '1' } },
      container({}, {}),
      'maximum cpu usage per Container is 1.  No limit is specified',
    ],
    [{ type: 'Container', max: { cpu: '1' }, min: { cpu: '1m' } }, container({ cpu: '1' }, { cpu: '1' }), undefined],
    [
      { type: 'Container', maxLimitRequestRatio: { cpu: '2' } },
      container({ cpu: '100m' }, { cpu: '500m' }),
      'cpu max limit to request ratio per Container is 2, but provided ratio is 5.000000',
    ],
    [
      { type: 'Pod', max: { memory: '1Gi' } },
      podOf({
        containers: [
          { name: 'a', resources: { requests: { memory: '600Mi' }, limits: { memory: '600Mi' } } },
          { name: 'b', resources: { requests: { memory: '600Mi' }, limits: { memory: '600Mi' } } },
        ],
      }),
      'maximum memory usage per Pod is 1Gi, but limit is 1200Mi',
    ],
    [
      { type: 'Container', min: { cpu: '1', memory: '1Gi' } },
      container({ cpu: '1m', memory: '1Mi' }, {}),
      '[minimum cpu usage per Container is 1, but request is 1m, minimum memory usage per Container is 1Gi, but request is 1Mi]',
    ],
  ];
  for (const [item, pod, text] of rows) {
    test(text ?? 'what is within is let through', async () => {
      const message = await admit(range(item), admissionRequest({ object: pod }));
      assert.equal(message, text === undefined ? undefined : `pods "p" is forbidden: ${text}`);
    });
  }

  test('claims', async () => {
    const claim = objectOf('PersistentVolumeClaim', 'c', { spec: { resources: { requests: { storage: '5Gi' } } } });
    const request = admissionRequest({
      ...about('', 'persistentvolumeclaims', 'PersistentVolumeClaim'),
      object: claim,
    });
    const text = 'usage per PersistentVolumeClaim is 1Gi, but request is 5Gi';
    assert.match(
      (await admit(range({ type: 'PersistentVolumeClaim', max: { storage: '1Gi' } }), request)) ?? '',
      new RegExp(`maximum storage ${text}`),
    );
    assert.equal(await admit(range({ type: 'PersistentVolumeClaim', min: { storage: '1Gi' } }), request), undefined);
  });
});
