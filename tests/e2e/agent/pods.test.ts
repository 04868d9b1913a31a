import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { newId } from '#base/ids.ts';
import { pods } from '#agent/pods/pod-tools.ts';
import { runPods } from '#agent/run-pods.ts';
import { silentLogger } from '#base/logger.ts';
import { type Client, kindOf } from '#kube/client/client.ts';
import { event } from '#kube/kinds/core/event.ts';
import { createClient } from '#kube/client/create-client.ts';
import type { Event, Pod, PodSpec } from '#kube/types/gen/core-v1.ts';

import { eventually } from '../../kit/eventually.ts';
import { MemoryApi } from '../../kit/memory-api.ts';
import { never, World } from '../runtime/world.ts';

/** A node that runs pods of an API in memory on a real engine. */
class Node implements AsyncDisposable {
  readonly world: World;
  readonly api = new MemoryApi();
  readonly client: Client = createClient(this.api);
  #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  private constructor(world: World) {
    this.world = world;
  }

  static async open(): Promise<Node> {
    const node = new Node(await World.open());
    const subnets = [{ subnet: '10.231.77.0/24' }];
    const options = { 'com.slipway.network.names': 'false' };
    await node.world.engine.networks.create({ name: 'pods', subnets, options }, never);
    node.start();
    return node;
  }

  start(): void {
    const { engine, place } = this.world;
    this.#stop = new AbortController();
    this.#running = runPods(
      {
        client: this.client,
        storageClient: this.client,
        engine,
        nodeName: 'one',
        hostAddress: '192.0.2.1',
        folder: join(place.folder, 'agent'),
        network: 'pods',
        clusterDns: '10.96.0.10',
        logger: silentLogger,
      },
      this.#stop.signal,
    );
  }

  /** Events as `reason message`. */
  async events(name: string): Promise<readonly string[]> {
    const { items } = await this.client.list(kindOf<Event>(event), { namespace: 'shop' }, never);
    return items
      .filter(({ involvedObject }) => involvedObject?.name === name)
      .map(({ reason = '', message = '' }) => `${reason} ${message}`);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  create(name: string, spec: PodSpec): void {
    const metadata = { namespace: 'shop', name, uid: `u-${newId().slice(0, 8)}` };
    this.api.put(`/api/v1/namespaces/shop/pods/${name}`, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: { nodeName: 'one', ...spec },
      status: { phase: 'Pending' },
    });
  }

  async get(name: string): Promise<Pod> {
    return this.client.get(pods, { namespace: 'shop', name }, never);
  }

  async until(name: string, is: (pod: Pod) => boolean): Promise<Pod> {
    await eventually(`pod ${name} is as it should be`, async () => is(await this.get(name)));
    return this.get(name);
  }

  /** Marks a pod for deletion, as the API does, and waits until its node has let it go. */
  async delete(name: string, graceSeconds: number): Promise<void> {
    const pod = (await this.get(name)) as unknown as Record<string, unknown>;
    const mark = { deletionTimestamp: new Date().toISOString(), deletionGracePeriodSeconds: graceSeconds };
    this.api.put(`/api/v1/namespaces/shop/pods/${name}`, {
      ...pod,
      metadata: { ...(pod['metadata'] as object), ...mark },
    });
    await eventually(`pod ${name} is gone`, async () =>
      this.get(name).then(
        () => false,
        () => true,
      ),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    const { engine } = this.world;
    for (const { id } of engine.containers.list())
      await engine.containers.remove(id, { force: true, volumes: true }, never);
    for (const { id } of engine.sandboxes.list()) await engine.sandboxes.close(id);
    await this.world[Symbol.asyncDispose]();
  }
}

const shared: { node?: Node } = {};

before(async () => {
  shared.node = await Node.open();
});

after(async () => shared.node?.[Symbol.asyncDispose]());

function opened(): Node {
  assert.ok(shared.node);
  return shared.node;
}

const sh = (script: string): readonly string[] => ['sh', '-c', script];
const busybox = { image: 'busybox:1', imagePullPolicy: 'IfNotPresent' };
const phaseIs = (phase: string) => (pod: Pod) => pod.status?.phase === phase;

test('a pod runs: its containers share network and volumes, its status tells, and it goes when it is deleted', async () => {
  const node = opened();
  const volumeMounts = [{ name: 'shared', mountPath: '/v' }];
  node.create('web', {
    volumes: [{ name: 'shared', emptyDir: {} }],
    initContainers: [
      {
        ...busybox,
        name: 'init',
        command: [...sh('echo made > /v/file')],
        volumeMounts,
      },
    ],
    containers: [
      {
        ...busybox,
        name: 'main',
        command: [...sh('trap exit TERM; hostname > /v/name; sleep 1000 & wait')],
        volumeMounts,
      },
      {
        ...busybox,
        name: 'other',
        command: [...sh('trap exit TERM; sleep 1000 & wait')],
        volumeMounts,
      },
    ],
  });
  const pod = await node.until(
    'web',
    (one) => one.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true,
  );
  assert.match(pod.status?.podIP ?? '', /^10\.231\.77\./);
  assert.deepEqual(
    pod.status?.containerStatuses?.map(({ name, ready, restartCount }) => [name, ready, restartCount]),
    [
      ['main', true, 0],
      ['other', true, 0],
    ],
  );
  const uid = pod.metadata.uid ?? '';
  const other = node.world.containers.get(`k8s_other_web_shop_${uid}_0`);
  const seen = await node.world.exec(
    other.id,
    'cat /v/file; until cat /v/name 2>/dev/null; do sleep 0.1; done; hostname; hostname -i; cat /etc/resolv.conf',
  );
  assert.match(seen.stdout, new RegExp(`^made\nweb\n.*\n${pod.status?.podIP ?? ''}\n`));
  assert.match(seen.stdout, /nameserver 10\.96\.0\.10/);
  await node.stop();
  node.start();
  await node.delete('web', 5);
  assert.deepEqual([node.world.containers.list().length, node.world.engine.sandboxes.list().length], [0, 0]);
  for (const reason of ['Pulled', 'Created', 'Started', 'Killing'])
    assert.ok(
      (await node.events('web')).some((told) => told.startsWith(`${reason} `)),
      reason,
    );
});

test('a pod that ends is Succeeded or Failed; one that crashes is started again, later each time', async () => {
  const node = opened();
  node.create('well', {
    restartPolicy: 'Never',
    containers: [{ ...busybox, name: 'main', command: [...sh('exit 0')] }],
  });
  node.create('badly', {
    restartPolicy: 'Never',
    containers: [{ ...busybox, name: 'main', command: [...sh('exit 3')] }],
  });
  node.create('again', { containers: [{ ...busybox, name: 'main', command: [...sh('exit 4')] }] });
  await node.until('well', phaseIs('Succeeded'));
  const failed = await node.until('badly', phaseIs('Failed'));
  assert.equal(failed.status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 3);
  const again = await node.until(
    'again',
    ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff',
  );
  assert.equal(again.status?.containerStatuses?.[0]?.restartCount, 1);
  for (const name of ['well', 'badly', 'again']) await node.delete(name, 0);
});

test('what cannot be is said in the status', async () => {
  const node = opened();
  node.create('missing', {
    containers: [
      { ...busybox, name: 'main', env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'x', key: 'k' } } }] },
    ],
  });
  node.create('absent', { containers: [{ name: 'main', image: 'nothing:1', imagePullPolicy: 'Never' }] });
  node.create('unsafe', {
    securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] },
    containers: [{ ...busybox, name: 'main' }],
  });
  const reasonIs = (reason: string) => (pod: Pod) =>
    pod.status?.containerStatuses?.[0]?.state?.waiting?.reason === reason;
  const missing = await node.until('missing', reasonIs('CreateContainerConfigError'));
  assert.equal(missing.status?.containerStatuses?.[0]?.state?.waiting?.message, 'secret "x" not found');
  await node.until('absent', reasonIs('ErrImageNeverPull'));
  const unsafe = await node.until('unsafe', phaseIs('Failed'));
  assert.equal(unsafe.status?.reason, 'SysctlForbidden');
  for (const name of ['missing', 'absent', 'unsafe']) await node.delete(name, 0);
});

test('probes decide who is ready and who has to go; hooks run after the start and before the end', async () => {
  const node = opened();
  const volumeMounts = [{ name: 'host', mountPath: '/v' }];
  const host = join(node.world.place.folder, 'hooks');
  node.create('asked', {
    volumes: [{ name: 'host', hostPath: { path: host, type: 'DirectoryOrCreate' } }],
    containers: [
      {
        ...busybox,
        name: 'main',
        command: [...sh('trap exit TERM; sleep 1000 & wait')],
        volumeMounts,
        readinessProbe: { exec: { command: ['test', '-e', '/v/ready'] }, periodSeconds: 1 },
        livenessProbe: {
          exec: { command: [...sh('! rm /v/sick 2>/dev/null')] },
          periodSeconds: 1,
          failureThreshold: 1,
        },
        lifecycle: {
          postStart: { exec: { command: [...sh('echo start >> /v/log')] } },
          preStop: { exec: { command: [...sh('echo stop >> /v/log')] } },
        },
      },
    ],
  });
  const isReady = (wanted: boolean) => (pod: Pod) => pod.status?.containerStatuses?.[0]?.ready === wanted;
  await node.until('asked', (pod) => isReady(false)(pod) && pod.status?.phase === 'Running');
  const isTold = (start: string) => async () => (await node.events('asked')).some((told) => told.startsWith(start));
  await eventually('it is told that it is not ready', isTold('Unhealthy Readiness probe failed'));
  writeFileSync(join(host, 'ready'), '');
  await node.until('asked', isReady(true));
  writeFileSync(join(host, 'sick'), '');
  await node.until('asked', (pod) => pod.status?.containerStatuses?.[0]?.restartCount === 1 && isReady(true)(pod));
  await node.delete('asked', 5);
  assert.equal(readFileSync(join(host, 'log'), 'utf8'), 'start\nstop\nstart\nstop\n');
  const told = await node.events('asked');
  assert.ok(told.includes('Killing Container main failed liveness probe, will be restarted'));
});

test('a pod tells what its containers said at their end, lets others look on, and ends at its deadline', async () => {
  const node = opened();
  const said = { ...busybox, name: 'main', command: [...sh('echo logged; echo said > /dev/termination-log; exit 3')] };
  const logged = {
    ...busybox,
    name: 'main',
    command: [...sh('echo logged; exit 3')],
    terminationMessagePolicy: 'FallbackToLogsOnError',
  };
  node.create('said', { restartPolicy: 'Never', containers: [said] });
  node.create('logged', { restartPolicy: 'Never', containers: [logged] });
  const messageOf = ({ status }: Pod): string => status?.containerStatuses?.[0]?.state?.terminated?.message ?? '';
  assert.equal(messageOf(await node.until('said', phaseIs('Failed'))), 'said\n');
  assert.equal(messageOf(await node.until('logged', phaseIs('Failed'))), 'logged\n');
  const main = { ...busybox, name: 'main', command: [...sh('trap exit TERM; sleep 1000 & wait')] };
  const look = [...sh('ps | grep -c "[s]leep 1000" > /dev/termination-log')];
  node.create('seen', {
    containers: [main],
    ephemeralContainers: [{ ...busybox, name: 'debug', command: look, targetContainerName: 'main' }],
  });
  const debugOf = ({ status }: Pod): string =>
    status?.ephemeralContainerStatuses?.[0]?.state?.terminated?.message ?? '';
  const seen = await node.until('seen', (pod) => debugOf(pod) !== '');
  assert.match(debugOf(seen), /^[12]\n$/);
  node.create('late', { activeDeadlineSeconds: 1, containers: [main] });
  const ended = await node.until('late', phaseIs('Failed'));
  assert.equal(ended.status?.reason, 'DeadlineExceeded');
  for (const name of ['said', 'logged', 'seen', 'late']) await node.delete(name, 1);
});

test('a pod on the network of its node has the name and the addresses of that', async () => {
  const node = opened();
  const check = `test "$(hostname)" = '${hostname()}'; test "$(ip -o link | wc -l)" -gt 2; test "$IP" = 192.0.2.1`;
  const env = [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }];
  const containers = [{ ...busybox, name: 'main', command: ['sh', '-ec', check], env }];
  node.create('outside', { restartPolicy: 'Never', hostNetwork: true, hostPID: true, hostIPC: true, containers });
  const pod = await node.until('outside', ({ status }) => ['Succeeded', 'Failed'].includes(status?.phase ?? ''));
  assert.equal(pod.status?.phase, 'Succeeded', JSON.stringify(pod.status));
  assert.equal(pod.status.podIP, '192.0.2.1');
  await node.delete('outside', 0);
});
