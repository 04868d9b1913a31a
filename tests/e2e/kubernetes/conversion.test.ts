import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';

import { nowMs } from '#base/clock.ts';
import { serverCertificate } from '#pki/certificates.ts';
import { openClusterPki } from '#pki/cluster-pki.ts';

import { command } from '../../kit/command.ts';
import { eventually } from '../../kit/eventually.ts';
import { Instance } from '../../kit/instance.ts';
import type { Json } from '../../kit/kube-api/json.ts';
import { kubernetesClient } from '../../kit/kubernetes-clients.ts';
import { makeRoot, tempFolder } from '../../kit/temp-root.ts';

interface Webhook {
  readonly url: string;
  readonly caBundle: string;
  /** How many objects were in each call. */
  readonly calls: readonly number[];
  close(): void;
}

test('kubectl works with a custom resource in two versions, of which a webhook makes one of the other', async (t) => {
  const hook = await startWebhook(t);
  const instance = new Instance(makeRoot(), { settings: ['kubernetes.controllers=false'] });
  t.after(async () => await instance.destroy());
  await instance.start();
  const kubectl = async (...args: readonly string[]): Promise<string> => {
    const env = { HOME: instance.root, PATH: process.env['PATH'] ?? '', KUBECONFIG: instance.paths.kubeconfig };
    const { stdout, stderr } = await command(kubernetesClient('kubectl'), args, { env, timeoutMs: 60_000 });
    return (stdout + stderr).trim();
  };
  const apply = async (object: Json, ...flags: readonly string[]): Promise<string> => {
    const path = join(instance.root, 'object.json');
    writeFileSync(path, JSON.stringify(object));
    return await kubectl('apply', '-f', path, ...flags);
  };
  await apply(definition(hook));
  await kubectl('wait', '--for=condition=Established', 'crd/crontabs.example.com');
  const old = (name: string, cron: string): Json => ({
    apiVersion: 'example.com/v1',
    kind: 'CronTab',
    metadata: { name },
    spec: { cron },
  });

  assert.equal(await apply(old('a', 'x y')), 'crontab.example.com/a created');
  assert.equal(await apply(old('a', 'x y')), 'crontab.example.com/a unchanged');
  assert.equal(await apply(old('a', 'x z')), 'crontab.example.com/a configured');
  assert.equal(await apply(old('b', 'p'), '--server-side'), 'crontab.example.com/b serverside-applied');
  assert.equal(await kubectl('get', 'crontabs.v2.example.com', 'a', '-o', 'jsonpath={.spec}'), '{"parts":["x","z"]}');
  const list = 'jsonpath={range .items[*]}{.apiVersion} {.spec.cron};{end}';
  const before = hook.calls.length;
  const listed = await kubectl('get', 'crontabs.v1.example.com', '-o', list);
  assert.equal(listed, 'example.com/v1 x z;example.com/v1 p;');
  assert.ok(hook.calls.length - before <= 1, 'a list costs one call at most');
  await kubectl('patch', 'crontabs.v2.example.com', 'b', '--type=merge', '-p', '{"spec":{"parts":["q","r"]}}');
  const wait = ['wait', 'crontabs.v1.example.com/b', '--for=jsonpath={.spec.cron}=q r', '--timeout=30s'];
  assert.equal(await kubectl(...wait), 'crontab.example.com/b condition met');

  hook.close();
  await kubectl('patch', 'crontabs.v2.example.com', 'b', '--type=merge', '-p', '{"spec":{"parts":["s"]}}');
  await eventually('the version that nobody can make is refused', async () =>
    /Error from server: conversion webhook for example\.com\/v2, Kind=CronTab failed: Post "https:.*ECONNREFUSED/.test(
      await kubectl('get', 'crontabs.v1.example.com', 'b'),
    ),
  );
  assert.equal(
    await kubectl('delete', 'crd', 'crontabs.example.com'),
    'customresourcedefinition.apiextensions.k8s.io "crontabs.example.com" deleted',
  );
});

async function startWebhook(t: TestContext): Promise<Webhook> {
  const pki = await openClusterPki(tempFolder(t), nowMs());
  const pair = pki.issue(serverCertificate('converter', ['127.0.0.1']), nowMs());
  const calls: number[] = [];
  const server = createServer({ key: pair.keyPem, cert: pair.certificatePem }, (request, response) => {
    void json(request).then((review) => {
      const { uid, objects, desiredAPIVersion } = (review as Json).request;
      calls.push(objects.length);
      const convertedObjects = objects.map((one: Json) => convert(one, desiredAPIVersion));
      const answer = { uid, result: { status: 'Success' }, convertedObjects };
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview', response: answer }),
      );
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  t.after(close);
  const { port } = server.address() as AddressInfo;
  const caBundle = Buffer.from(pki.authorityPem).toString('base64');
  return { url: `https://127.0.0.1:${String(port)}/convert`, caBundle, calls, close };
}

/** In v1 the schedule is a text, in v2 a list. */
function convert({ spec, ...object }: Json, apiVersion: string): Json {
  const schedule = apiVersion.endsWith('/v1') ? { cron: spec.parts.join(' ') } : { parts: spec.cron.split(' ') };
  return { ...object, apiVersion, spec: schedule };
}

function definition({ url, caBundle }: Webhook): object {
  const version = (name: string, storage: boolean, properties: object): object => ({
    name,
    served: true,
    storage,
    schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } } },
  });
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'crontabs.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'crontabs', kind: 'CronTab' },
      versions: [
        version('v1', false, { cron: { type: 'string' } }),
        version('v2', true, { parts: { type: 'array', items: { type: 'string' } } }),
      ],
      conversion: {
        strategy: 'Webhook',
        webhook: { conversionReviewVersions: ['v1'], clientConfig: { url, caBundle } },
      },
    },
  };
}
