import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import type { BootstrapLine, ExposureReport, StatusReport } from '#app/control-protocol.ts';
import { type InstancePaths, instancePaths } from '#app/instance-paths.ts';
import { PausedContainers } from '#app/paused-containers.ts';
import { controlPlane, type ControlNeeds } from '#app/planes/control.ts';
import { StatusError } from '#base/errors.ts';
import { silentLogger } from '#base/logger.ts';

import { askDaemon, ControlClient } from './control-client.ts';
import { registryLines } from './verbs/registry-status.ts';

const { signal: never } = new AbortController();

const report: StatusReport = {
  version: '1.2.3',
  pid: 42,
  startedAtMs: 1,
  root: '/r',
  state: 'healthy',
  planes: [{ name: 'engine', state: 'healthy', message: 'fine' }],
  dockerSocket: '/r/docker.sock',
  dockerSocketLinked: false,
  containers: { running: 1, total: 2 },
  images: 3,
};

const exposure: ExposureReport = {
  ports: [],
  hostNetwork: [{ container: 'web', pid: 7 }],
  respectHostFirewall: true,
  dockerSocket: '/run/docker.sock',
  controlSocket: '/run/control.sock',
};

interface Daemon {
  readonly client: ControlClient;
  readonly paths: InstancePaths;
  /** What was asked of it. */
  readonly calls: string[];
  readonly end: () => Promise<void>;
}

/** A control socket in front of nothing but a list of calls. */
async function daemon(t: TestContext, needs: Partial<ControlNeeds> = {}): Promise<Daemon> {
  const folder = mkdtempSync(join(tmpdir(), 'control-'));
  const paths = { ...instancePaths(folder), controlSocket: join(folder, 'slipway.sock') };
  const calls: string[] = [];
  const running = await controlPlane.start(
    undefined,
    {
      report: () => report,
      exposure: () => exposure,
      stop: async (fate) => void calls.push(`stop ${fate}`),
      bootstrapImage: async () => ({ kind: 'done', imageId: 'sha256:1', tag: 'debian:12', sizeBytes: 5 }),
      engine: () => {
        throw new StatusError('Unavailable', 'it is starting');
      },
      collect: async () => ({ items: [], freedBytes: 0 }),
      paused: new PausedContainers(join(folder, 'paused.json'), silentLogger),
      reportRegistry: async () => registryReport,
      collectRegistryGarbage: async (untagged) => ({ blobs: 1, manifests: untagged ? 2 : 0, bytes: 3 }),
      ...needs,
    },
    { paths, logger: silentLogger, signal: never },
  );
  const end = async (): Promise<void> => running[Symbol.asyncDispose]();
  t.after(async () => {
    await end().catch(() => {});
    rmSync(folder, { recursive: true });
  });
  return { client: new ControlClient(paths.controlSocket), paths, calls, end };
}

const registryReport = {
  address: 'http://127.0.0.1:5000',
  repositories: 2,
  blobs: 3,
  bytes: 4_000_000,
  uploads: 1,
  cachedBytes: 0,
};

async function linesOf(client: ControlClient, signal = never): Promise<readonly BootstrapLine[]> {
  const response = await client.send('POST', '/images/bootstrap', { suite: 'bookworm', tag: 'debian:12' }, signal);
  let text = '';
  for await (const chunk of response as AsyncIterable<Buffer>) text += chunk.toString();
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as BootstrapLine);
}

describe('the control socket', () => {
  test('reports to root alone', async (t) => {
    const { client, paths } = await daemon(t);
    assert.deepEqual(await client.status(never), report);
    assert.equal(statSync(paths.controlSocket).mode & 0o777, 0o600);
  });

  test('is nobody where no daemon is, and after it ended', async (t) => {
    const made = await daemon(t);
    const { client, paths } = made;
    await made.end();
    assert.equal(await client.status(never), undefined);
    assert.equal(existsSync(paths.controlSocket), false);
    assert.equal(await new ControlClient('/nowhere/slipway.sock').status(never), undefined);
  });

  test('tells what is exposed, and is missed where no daemon is', async (t) => {
    const { client } = await daemon(t);
    assert.deepEqual(await client.exposure(never), exposure);
    const nobody = new ControlClient('/nowhere/slipway.sock').exposure(never);
    await assert.rejects(nobody, { reason: 'Unavailable', message: /start it with slipway up/ });
  });

  test('replaces the socket of a daemon that was killed', async (t) => {
    const first = await daemon(t);
    const scope = { paths: first.paths, logger: silentLogger, signal: never };
    const needs: ControlNeeds = {
      report: () => ({ ...report, pid: 43 }),
      exposure: () => exposure,
      stop: async () => {},
      bootstrapImage: async () => ({ kind: 'progress', text: '' }),
      engine: () => {
        throw new StatusError('Unavailable', 'it is starting');
      },
      collect: async () => ({ items: [], freedBytes: 0 }),
      paused: new PausedContainers(first.paths.lockFile, silentLogger),
      reportRegistry: async () => registryReport,
      collectRegistryGarbage: async () => ({ blobs: 0, manifests: 0, bytes: 0 }),
    };
    await using _second = await controlPlane.start(undefined, needs, scope);
    assert.equal((await first.client.status(never))?.pid, 43);
  });

  test('tells of the registry, and has its garbage collected', async (t) => {
    const { paths } = await daemon(t);
    const ask = (method: 'GET' | 'POST', path: string) => askDaemon(paths.controlSocket, method, path, never);
    assert.deepEqual(await ask('GET', '/registry'), registryReport);
    assert.deepEqual(await ask('POST', '/registry/gc?untagged=true'), { blobs: 1, manifests: 2, bytes: 3 });
    assert.deepEqual(await ask('POST', '/registry/gc?untagged=false'), { blobs: 1, manifests: 0, bytes: 3 });
    await assert.rejects(askDaemon('/nowhere/slipway.sock', 'GET', '/registry', never), {
      reason: 'Unavailable',
      message: 'Cannot ask the daemon: slipway does not run; start it with slipway up',
    });
    assert.deepEqual(registryLines(registryReport)[2], 'blobs         3, 4.0 MB');
  });

  test('stops with the fate of the containers, and knows no other', async (t) => {
    const { client, calls } = await daemon(t);
    for (const fate of ['keep', 'stop'])
      (await client.send('POST', `/stop?containers=${fate}`, undefined, never)).resume();
    assert.deepEqual(calls, ['stop keep', 'stop stop']);
    await assert.rejects(client.send('POST', '/stop?containers=sell', undefined, never), { reason: 'InvalidArgument' });
    await assert.rejects(client.send('GET', '/stop', undefined, never), { reason: 'NotFound' });
    assert.equal(calls.length, 2);
  });

  test('carries errors over as they were thrown', async (t) => {
    const refuse = async (): Promise<never> => {
      throw new StatusError('Unavailable', 'Cannot stop: not now');
    };
    const { client } = await daemon(t, { stop: refuse, bootstrapImage: refuse });
    await assert.rejects(client.send('POST', '/stop?containers=stop', undefined, never), {
      name: 'StatusError',
      reason: 'Unavailable',
      message: 'Cannot stop: not now',
    });
    assert.deepEqual(await linesOf(client), [
      { kind: 'error', reason: 'Unavailable', message: 'Cannot stop: not now' },
    ]);
  });

  test('tells the progress of a bootstrap line by line', async (t) => {
    const { client } = await daemon(t, {
      bootstrapImage: async ({ suite, tag }, onProgress) => {
        onProgress(`fetch ${suite}`);
        onProgress('pack');
        return { kind: 'done', imageId: 'sha256:2', tag, sizeBytes: 7 };
      },
    });
    assert.deepEqual(await linesOf(client), [
      { kind: 'progress', text: 'fetch bookworm' },
      { kind: 'progress', text: 'pack' },
      { kind: 'done', imageId: 'sha256:2', tag: 'debian:12', sizeBytes: 7 },
    ]);
  });

  test('stops a bootstrap whose client has left', async (t) => {
    const aborted = Promise.withResolvers<void>();
    const { client } = await daemon(t, {
      bootstrapImage: async (_request, onProgress, signal) => {
        signal.addEventListener('abort', () => aborted.resolve(), { once: true });
        onProgress('begun');
        await aborted.promise;
        throw signal.reason as Error;
      },
    });
    const leave = new AbortController();
    const response = await client.send('POST', '/images/bootstrap', { suite: 'a', tag: 'b' }, leave.signal);
    response.on('error', () => {});
    response.once('data', () => leave.abort());
    await aborted.promise;
  });

  test('refuses requests that are none', async (t) => {
    const { client } = await daemon(t);
    const send = async (body: object): Promise<unknown> => client.send('POST', '/images/bootstrap', body, never);
    await assert.rejects(send({ suite: 'a' }), { reason: 'InvalidArgument' });
    await assert.rejects(send({ suite: 'a', tag: 'x'.repeat(100_000) }), { reason: 'TooLarge' });
  });
});
