import assert from 'node:assert/strict';
import { test } from 'node:test';

import { admissionRequest } from '#kit/kube-auth/admission-request.ts';

import { admissionChain, type AdmissionPlugin } from './admission.ts';

const { signal } = new AbortController();

test('plugins come one after the other, and a refusal ends the chain', async () => {
  const calls: string[] = [];
  const plugin = (name: string, refuses = false): AdmissionPlugin => ({
    name,
    mutate: () => void calls.push(`mutate ${name}`),
    validate: () => {
      calls.push(`validate ${name}`);
      if (refuses) throw new Error(name);
    },
  });
  const chain = admissionChain([plugin('a'), plugin('b', true), plugin('c'), { name: 'd' }]);
  const request = admissionRequest({});
  await chain.mutate(request, signal);
  await assert.rejects(chain.validate(request, signal), /^Error: b$/);
  assert.deepEqual(calls, ['mutate a', 'mutate b', 'mutate c', 'validate a', 'validate b']);
});
