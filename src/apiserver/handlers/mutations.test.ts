import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { definitionOf } from '#kit/kube-api/definition.ts';
import { openMemoryApi, type MemoryApi } from '#kit/kube-api/memory-api.ts';

/** A stream of numbers that is the same in every run (xorshift32), so that a failure can be found again. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const meta = { name: 'm', namespace: 'default', labels: { a: 'b' }, annotations: { c: 'd' } };
const template = {
  metadata: { labels: { app: 'x' } },
  spec: { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80 }] }] },
};
const valid: readonly (readonly [string, object])[] = [
  ['/api/v1/namespaces/default/configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta, data: { a: '1' } }],
  ['/api/v1/namespaces/default/secrets', { apiVersion: 'v1', kind: 'Secret', metadata: meta, data: { a: 'YQ==' } }],
  [
    '/api/v1/namespaces/default/pods',
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: meta,
      spec: { ...template.spec, volumes: [{ name: 'v', emptyDir: {} }] },
    },
  ],
  [
    '/api/v1/namespaces/default/services',
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: meta,
      spec: { type: 'NodePort', selector: { app: 'x' }, ports: [{ port: 80, nodePort: 30_100 }] },
    },
  ],
  [
    '/apis/apps/v1/namespaces/default/deployments',
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: meta,
      spec: { replicas: 1, selector: { matchLabels: { app: 'x' } }, template },
    },
  ],
  [
    '/apis/batch/v1/namespaces/default/cronjobs',
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: meta,
      spec: {
        schedule: '* * * * *',
        jobTemplate: { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } },
      },
    },
  ],
  [
    '/apis/networking.k8s.io/v1/namespaces/default/ingresses',
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: meta,
      spec: {
        rules: [
          {
            host: 'h',
            http: {
              paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 's', port: { number: 80 } } } }],
            },
          },
        ],
      },
    },
  ],
  [
    '/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers',
    {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      metadata: meta,
      spec: { maxReplicas: 2, scaleTargetRef: { kind: 'Deployment', name: 'm' } },
    },
  ],
  [
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
    definitionOf('M', 'ms', {
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    }),
  ],
];

const strange: readonly unknown[] = [
  null,
  true,
  -1,
  0.5,
  1e300,
  2 ** 53,
  '',
  'x',
  '\u0000',
  '\ud800',
  'a'.repeat(100_000),
  [],
  {},
  [null],
  [[]],
  [{}],
  { '': null },
  { $patch: 'delete' },
  { __proto__: null, constructor: 1 },
  { a: { b: { c: {} } } },
  '1e99999999',
  '999999999999999999999Gi',
];

/** A copy in which one place is something else, is missing, or is there twice. */
function mutated(value: unknown, below: (limit: number) => number): unknown {
  if (Array.isArray(value) && value.length > 0 && below(4) > 0) {
    const at = below(value.length);
    const copy = [...(value as unknown[])];
    if (below(5) === 0) copy.push(copy[at]);
    else copy[at] = mutated(copy[at], below);
    return copy;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && below(5) > 0) {
    const names = Object.keys(value);
    const name = names[below(names.length || 1)] ?? 'x';
    const { [name]: inner, ...rest } = value as Record<string, unknown>;
    if (below(8) === 0) return rest;
    return { ...rest, [below(12) === 0 ? `${name}x` : name]: mutated(inner, below) };
  }
  return strange[below(strange.length)];
}

/** Bytes that are no longer what they were. */
function broken(text: string, below: (limit: number) => number): Uint8Array {
  const bytes = Buffer.from(text);
  switch (below(6)) {
    case 0:
      return bytes.subarray(0, below(bytes.length));
    case 1:
      bytes[below(bytes.length)] = below(256);
      return bytes;
    case 2:
      return Buffer.from(`${'['.repeat(20_000)}${text}`);
    case 3:
      return Buffer.concat([Buffer.from('k8s\0'), bytes]);
    case 4:
      return Buffer.from(text.replace('"metadata":', '"kind":"X","metadata":'));
    default:
      return bytes;
  }
}

const types = [
  'application/json',
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'text/plain',
  '',
];
const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];

async function sendOne(api: MemoryApi, below: (limit: number) => number): Promise<string> {
  const [path = '', object = {}] = valid[below(valid.length)] ?? [];
  const text = JSON.stringify(mutated(object, below)) ?? '';
  const body = below(3) === 0 ? broken(text, below) : text;
  const query =
    ['', '?dryRun=All', '?fieldValidation=Strict', '?fieldManager=x&force=true', '?dryRun=x'][below(5)] ?? '';
  const name = JSON.stringify(object).includes('ms.example.com') ? 'ms.example.com' : 'm';
  const part = ['', '', '/status', '/scale', '/eviction', '/none'][below(6)] ?? '';
  const kind = below(3);
  const answer =
    kind === 0
      ? await api.send('POST', `${path}${query}`, body, { 'content-type': types[below(types.length)] ?? '' })
      : kind === 1
        ? await api.send('PUT', `${path}/${name}${part}${query}`, body, {
            'content-type': types[below(types.length)] ?? '',
          })
        : await api.send('PATCH', `${path}/${name}${part}${query}`, body, {
            'content-type': patchTypes[below(4)] ?? '',
          });
  return `${String(answer.status)} ${answer.text.slice(0, 300)} of ${path} ${part} ${query} ${text.slice(0, 600)}`;
}

describe('requests that were valid before somebody changed them', () => {
  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) {
    test(`are answered and are never our defect, seed ${String(seed)}`, async (t) => {
      const api = await openMemoryApi(t);
      for (const [path, object] of valid) await api.must(api.post(path, object));
      const below = chance(seed * 7919);
      for (let count = 0; count < 100; count += 1) {
        const outcome = await sendOne(api, below);
        assert.doesNotMatch(outcome, /^5/, api.defects.join(''));
      }
      // What was accepted can still be read in every form.
      const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
      for (const [path] of valid) {
        for (const headers of [{}, { accept }]) {
          const { status, text } = await api.get(path, headers);
          assert.equal(status, 200, text.slice(0, 300));
        }
      }
    });
  }
});
