import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseDockerfile } from '#formats/dockerfile/parse-dockerfile.ts';
import type { Digest } from '#formats/oci.ts';

import { planBuild } from './plan.ts';
import { scanTargets } from './scan-targets.ts';

const digestOf = (index: number): Digest => `sha256:${String(index).repeat(64)}`;

function targetsOf(args: readonly string[], globals: Readonly<Record<string, string>> = {}) {
  const text = 'FROM scratch AS one\nFROM scratch\nCOPY --from=one / /\nFROM scratch AS out\nCOPY --from=1 / /\n';
  const dockerfile = parseDockerfile(text, 'Dockerfile');
  const variables = new Map(Object.entries(globals));
  const plan = planBuild({ dockerfile, globals: variables, contexts: {} }, '');
  const states = new Map(
    args.map((arg, index) => {
      const [name = '', value = ''] = arg.split('=');
      return [index, { layer: digestOf(index), args: new Map(name === '' ? [] : [[name, value]]) }] as const;
    }),
  );
  const request = { contextDir: '/context' } as Parameters<typeof scanTargets>[0]['request'];
  const { core, stages, context } = scanTargets({ globals: variables, request }, plan, states);
  assert.equal(core, digestOf(2));
  return [Object.fromEntries(stages), context] as const;
}

test('the result alone, unless an argument says more', () => {
  assert.deepEqual(targetsOf(['', '', '']), [{}, undefined]);
  assert.deepEqual(targetsOf(['BUILDKIT_SBOM_SCAN_STAGE=true', '', '']), [{ one: digestOf(0) }, undefined]);
  assert.deepEqual(targetsOf(['', 'BUILDKIT_SBOM_SCAN_STAGE=1', '']), [{ 'stage-1': digestOf(1) }, undefined]);
  assert.deepEqual(targetsOf(['', '', 'BUILDKIT_SBOM_SCAN_CONTEXT=true']), [{}, '/context']);
});

test('an argument before the first FROM is for all stages, or for those that it names; a stage has the last word', () => {
  const all = { one: digestOf(0), 'stage-1': digestOf(1) };
  assert.deepEqual(targetsOf(['', '', ''], { BUILDKIT_SBOM_SCAN_STAGE: 'true' }), [all, undefined]);
  assert.deepEqual(targetsOf(['', '', ''], { BUILDKIT_SBOM_SCAN_STAGE: 'x,One' }), [{ one: digestOf(0) }, undefined]);
  const no = targetsOf(['BUILDKIT_SBOM_SCAN_STAGE=false', '', ''], { BUILDKIT_SBOM_SCAN_STAGE: 'true' });
  assert.deepEqual(no, [{ 'stage-1': digestOf(1) }, undefined]);
});
