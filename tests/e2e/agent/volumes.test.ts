import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { containerSpecOf } from '#agent/container-spec.ts';
import type { PodSources } from '#agent/environment/pod-sources.ts';
import { resolveEnvironment } from '#agent/environment/resolve-environment.ts';
import { Claims } from '#agent/volumes/claims.ts';
import { PodVolumes } from '#agent/volumes/pod-volumes.ts';
import type { ConfigMap, Container, Pod, Secret, Volume } from '#kube/types/gen/core-v1.ts';
import type { PodSandbox } from '#engine/sandboxes/pod-sandboxes.ts';
import { newId } from '#base/ids.ts';
import { mountsBelow } from '#sys/mount-info.ts';

import { eventually } from '../../kit/eventually.ts';
import { never, type Outcome, World } from '../runtime/world.ts';

const facts = {
  nodeName: 'one',
  hostIPs: ['192.0.2.1'],
  podIPs: ['10.1.2.3'],
  allocatable: { cpu: '2', memory: '1Gi' },
};
const configMaps = new Map<string, ConfigMap>();
const secrets = new Map<string, Secret>();
const sources: PodSources = {
  configMap: async (_, name) => configMaps.get(name),
  secret: async (_, name) => secrets.get(name),
  services: async () => [],
  token: async () => ({ token: 'a token', expiresAtMs: Number.MAX_SAFE_INTEGER }),
};

/** An engine, one sandbox for all pods, and their volumes on the real kernel. */
class PodWorld implements AsyncDisposable {
  readonly world: World;
  readonly sandbox: PodSandbox;
  readonly volumes: PodVolumes;
  readonly folder: string;

  private constructor(world: World, sandbox: PodSandbox) {
    this.world = world;
    this.sandbox = sandbox;
    this.folder = join(world.place.folder, 'pods');
    const none = { claim: async () => undefined, persistentVolume: async () => undefined };
    this.volumes = new PodVolumes({ folder: this.folder, sources, claims: new Claims(none, world.engine.volumes) });
  }

  static async open(): Promise<PodWorld> {
    const world = await World.open();
    const dns = { servers: [], search: [], options: [] };
    const request = { hostname: 'web', domainname: '', endpoints: [], ports: [], dns, extraHosts: [], name: 'web' };
    const own = { network: 'own', ipc: 'own', shmSizeBytes: 2 ** 20, sysctls: {}, labels: {} } as const;
    return new PodWorld(world, await world.engine.sandboxes.open({ ...request, ...own }, never));
  }

  /** Runs a script in a container of a pod to its end. */
  async output(script: string, pod: Pod, container: Container): Promise<Outcome> {
    const whole = { name: 'main', image: 'busybox:1', ...container, command: ['sh', '-c', script] };
    const volumes = await this.volumes.open(pod, facts, never);
    const environment = await resolveEnvironment(pod, whole, facts, sources, never);
    const mounts = this.volumes.mounts(pod, whole, volumes, environment);
    const image = this.world.engine.images.get('busybox:1');
    const { cgroupParent } = this.world.spec('true');
    const spec = containerSpecOf({
      pod,
      container: whole,
      image,
      sandboxId: this.sandbox.id,
      environment,
      mounts,
      attempt: 0,
      cgroupParent,
      memoryBytes: 2 ** 31,
      readProfile: () => '{}',
    });
    return this.world.output(script, { ...spec, args: spec.args });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const uid of this.volumes.list()) await this.volumes.close(uid);
    await this.world.engine.sandboxes.close(this.sandbox.id);
    await this.world[Symbol.asyncDispose]();
  }
}

const shared: { world?: PodWorld } = {};

before(async () => {
  shared.world = await PodWorld.open();
});

after(async () => shared.world?.[Symbol.asyncDispose]());

function opened(): PodWorld {
  assert.ok(shared.world);
  return shared.world;
}

function podWith(volumes: Volume[], spec: Pod['spec'] = {}): Pod {
  const metadata = { name: 'web', namespace: 'shop', uid: newId().slice(0, 8), labels: { a: 'b' } };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { ...spec, volumes } };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

test('files of the API are there, read-only, and change under a container that runs', async () => {
  const world = opened();
  configMaps.set('cm', { apiVersion: 'v1', kind: 'ConfigMap', metadata: {}, data: { a: 'one' } });
  secrets.set('keys', { apiVersion: 'v1', kind: 'Secret', metadata: {}, data: { pass: base64('s3cret') } });
  const pod = podWith([
    { name: 'cm', configMap: { name: 'cm' } },
    { name: 'shared', emptyDir: {} },
    { name: 'keys', secret: { secretName: 'keys', defaultMode: 0o400 } },
    {
      name: 'all',
      projected: {
        sources: [
          { serviceAccountToken: { path: 'token' } },
          { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
        ],
      },
    },
  ]);
  const volumeMounts = ['cm', 'keys', 'all'].map((name) => ({ name, mountPath: `/v/${name}` }));
  const env = [{ name: 'WHERE', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }];
  const script =
    'cat /v/cm/a /v/keys/pass /v/all/token /v/all/labels; echo " $WHERE"; stat -Lc %a /v/keys/pass; echo x 2>/dev/null > /v/cm/a || echo refused; grep -c " /v/keys tmpfs\\| /v/all tmpfs" /proc/mounts';
  const { stdout } = await world.output(script, pod, { env, volumeMounts });
  assert.equal(stdout, 'ones3creta tokena="b" 10.1.2.3\n400\nrefused\n2\n');

  const waits = 'cat /v/cm/a; touch /v/shared/seen; until grep -q two /v/cm/a; do sleep 0.1; done; cat /v/cm/a';
  const running = world.output(waits, pod, {
    volumeMounts: [...volumeMounts, { name: 'shared', mountPath: '/v/shared' }],
  });
  const shared = join(world.folder, pod.metadata.uid ?? '', 'volumes/kubernetes.io~empty-dir/shared/seen');
  await eventually('it has read the file', () => existsSync(shared));
  configMaps.set('cm', { apiVersion: 'v1', kind: 'ConfigMap', metadata: {}, data: { a: 'two' } });
  await world.volumes.update(pod, facts, never);
  assert.equal((await running).stdout, 'onetwo');
});

test('an emptyDir is shared by the containers of a pod; in memory it is as large as it may be; both go with the pod', async () => {
  const world = opened();
  const pod = podWith(
    [
      { name: 'disk', emptyDir: {} },
      { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    ],
    { securityContext: { runAsUser: 1000, runAsGroup: 1000, fsGroup: 4321 } },
  );
  const volumeMounts = ['disk', 'memory'].map((name) => ({ name, mountPath: `/v/${name}` }));
  const first =
    'id -G; echo kept > /v/disk/x; echo kept > /v/memory/x; head -c 2000000 /dev/zero > /v/memory/big 2>/dev/null || echo full';
  assert.equal((await world.output(first, pod, { volumeMounts })).stdout, '1000 4321\nfull\n');
  const second = 'cat /v/disk/x /v/memory/x; stat -c "%g %a" /v/disk /v/disk/x; rm /v/memory/big';
  assert.equal((await world.output(second, pod, { volumeMounts })).stdout, 'kept\nkept\n4321 2777\n4321 644\n');
  const folder = join(world.folder, pod.metadata.uid ?? '');
  assert.equal(mountsBelow(folder).length, 1);
  await world.volumes.close(pod.metadata.uid ?? '');
  assert.equal(existsSync(folder), false);
  assert.equal(mountsBelow(folder).length, 0);
});

test('parts of volumes stay parts, whatever links say, and closing takes nothing of the host away', async () => {
  const world = opened();
  const host = join(world.world.place.folder, 'host');
  mkdirSync(join(host, 'inner'), { recursive: true });
  writeFileSync(join(host, 'inner/file'), 'here');
  symlinkSync('/etc', join(host, 'out'));
  const pod = podWith([{ name: 'host', hostPath: { path: host, type: 'Directory' } }]);
  const volumeMounts = [
    { name: 'host', mountPath: '/folder', subPath: 'inner' },
    { name: 'host', mountPath: '/file', subPath: 'inner/file', readOnly: true },
    { name: 'host', mountPath: '/made', subPathExpr: 'by/$(NAME)' },
  ];
  const script = 'cat /folder/file /file; echo x > /made/y; echo x 2>/dev/null > /file || echo refused';
  const { stdout } = await world.output(script, pod, { env: [{ name: 'NAME', value: 'me' }], volumeMounts });
  assert.equal(stdout, 'herehererefused\n');
  assert.ok(existsSync(join(host, 'by/me/y')));
  const leading = [{ name: 'host', mountPath: '/out', subPath: 'out' }];
  await assert.rejects(world.output('ls /out', pod, { volumeMounts: leading }), /failed to prepare subPath/);
  await world.volumes.close(pod.metadata.uid ?? '');
  assert.ok(existsSync(join(host, 'inner/file')));
  rmSync(host, { recursive: true });
});

test('a container is kept to its security context', async () => {
  const world = opened();
  const pod = podWith([], {
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
  });
  const securityContext = {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  };
  const script =
    'grep -E "^(NoNewPrivs|CapBnd|Seccomp):" /proc/self/status | tr -s "\\t" " "; touch /x 2>/dev/null || echo refused';
  const { stdout } = await world.output(script, pod, { securityContext });
  assert.equal(stdout, 'CapBnd: 0000000000000000\nNoNewPrivs: 1\nSeccomp: 2\nrefused\n');
  const asRoot = podWith([], { securityContext: { runAsNonRoot: true } });
  await assert.rejects(world.output('true', asRoot, {}), /container has runAsNonRoot and image will run as root/);
});
