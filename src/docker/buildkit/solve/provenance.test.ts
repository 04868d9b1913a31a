import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Digest, Platform } from '#formats/oci.ts';
import { parseReference } from '#formats/reference.ts';
import { type BuildFacts, provenanceOf, provenanceOptions } from './provenance.ts';

const platform: Platform = { os: 'linux', architecture: 'amd64' };
const digest: Digest = `sha256:${'a'.repeat(64)}`;
const facts: BuildFacts = {
  id: 'build-1',
  startedMs: 0,
  finishedMs: 1_500,
  dockerfileName: 'Dockerfile',
  dockerfile: 'FROM busybox',
  contextUrl: '',
  attributes: new Map([
    ['target', 'app'],
    ['build-arg:WHO', 'me'],
    ['build-arg:HTTP_PROXY', 'http://user:secret@proxy'],
    ['local-sessionid:context', 'x'],
  ]),
  platform,
  bases: [
    { reference: parseReference('busybox:1'), platform, digest },
    { reference: parseReference('made/here:1'), platform, digest: undefined },
  ],
};

interface Predicate {
  readonly materials: object[];
  readonly invocation: { readonly configSource: object; readonly parameters: { args: object; locals?: object[] } };
  readonly metadata: Readonly<Record<string, unknown>>;
}

function predicateOf(text: string, more: Partial<BuildFacts> = {}): Predicate {
  const options = provenanceOptions(text) ?? assert.fail('nothing is asked for');
  const { predicateType, predicate } = provenanceOf(options, { ...facts, ...more });
  assert.equal(predicateType, 'https://slsa.dev/provenance/v0.2');
  return JSON.parse(Buffer.from(predicate).toString()) as Predicate;
}

describe('the provenance of an image', () => {
  test('says what it was made from, and by which parameters, but no arguments', () => {
    const { materials, invocation, metadata } = predicateOf('mode=min');
    assert.deepEqual(materials, [
      { uri: 'pkg:docker/busybox@1?platform=linux%2Famd64', digest: { sha256: 'a'.repeat(64) } },
      { uri: 'pkg:docker/made/here@1?platform=linux%2Famd64' },
    ]);
    assert.deepEqual(invocation, {
      configSource: { entryPoint: 'Dockerfile' },
      parameters: {
        frontend: 'dockerfile.v0',
        args: { target: 'app' },
        locals: [{ name: 'context' }, { name: 'dockerfile' }],
      },
      environment: { platform: 'linux/amd64' },
    });
    assert.deepEqual(metadata, {
      buildInvocationID: 'build-1',
      buildStartedOn: '1970-01-01T00:00:00.000Z',
      buildFinishedOn: '1970-01-01T00:00:01.500Z',
      completeness: { parameters: false, environment: true, materials: false },
      reproducible: false,
    });
  });

  test('says all but passwords when all is asked for', () => {
    const { invocation, metadata } = predicateOf('mode=max', { contextUrl: 'https://me:secret@host/x.git' });
    assert.deepEqual(invocation.configSource, { uri: 'https://host/x.git', entryPoint: 'Dockerfile' });
    assert.deepEqual(invocation.parameters.args, { target: 'app', 'build-arg:WHO': 'me' });
    assert.equal(invocation.parameters.locals, undefined);
    assert.match(JSON.stringify(metadata), new RegExp(Buffer.from('FROM busybox').toString('base64')));
  });

  test('is asked for in words of clients', () => {
    assert.equal(provenanceOptions(''), undefined);
    assert.equal(provenanceOptions('mode=min,disabled=true'), undefined);
    const asked = provenanceOptions('type=provenance,mode=max,builder-id=https://ci/1?a=b');
    assert.deepEqual(asked, { mode: 'max', inlineOnly: false, builderId: 'https://ci/1?a=b' });
    assert.throws(() => provenanceOptions('version=v1'), /SLSA v1/);
    assert.throws(() => provenanceOptions('reproducible=true'), /with reproducible/);
    assert.throws(() => provenanceOptions('color=red'), /with color/);
  });
});
