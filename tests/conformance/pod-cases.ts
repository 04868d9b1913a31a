import type { Volume } from '#kube/types/gen/core-v1.ts';

import { environmentCases } from './environment-cases.ts';
import { nodeCases } from './node-cases.ts';
import { image, is, mode, type PodCase, podOf, type Wanted } from './pod-case.ts';

const nonRoot = { securityContext: { runAsUser: 1000 } };
const withGroup = { securityContext: { runAsUser: 1000, fsGroup: 1001 } };
const mapped = [{ key: 'data-2', path: 'path/to/data-2' }];
const mappedMode = [{ key: 'data-2', path: 'path/to/data-2', mode: 0o400 }];

/** The two kinds whose keys become files, by themselves and within a projected volume. */
const fileKinds = [
  ['ConfigMap', (more: object) => ({ configMap: { name: 'settings', ...more } })],
  ['Secrets', (more: object) => ({ secret: { secretName: 'keys', ...more } })],
  ['Projected configMap', (more: object) => projected({ configMap: { name: 'settings', ...itemsOf(more) } }, more)],
  ['Projected secret', (more: object) => projected({ secret: { name: 'keys', ...itemsOf(more) } }, more)],
] as const;

function projected(source: object, more: object): Volume {
  const { defaultMode } = more as { readonly defaultMode?: number };
  return { projected: { sources: [source], ...(defaultMode !== undefined && { defaultMode }) } };
}

function itemsOf(more: object): object {
  const { items } = more as { readonly items?: object };
  return items === undefined ? {} : { items };
}

const fileCases = fileKinds.flatMap(([kind, volume]): PodCase[] => {
  const name = (what: string): string =>
    `[sig-storage] ${kind} should be consumable from pods in volume ${what}`.trim();
  return [
    {
      codename: name(''),
      spec: podOf({ volume: volume({}), check: `${is('/v/data-1', 'value-1')}; ${mode('/v/data-1', '644')}` }),
    },
    {
      codename: name('with defaultMode set'),
      spec: podOf({ volume: volume({ defaultMode: 0o400 }), check: mode('/v/data-1', '400') }),
    },
    {
      codename: name('as non-root'),
      spec: podOf({ volume: volume({}), spec: nonRoot, check: is('/v/data-1', 'value-1') }),
    },
    {
      codename: name('as non-root with defaultMode and fsGroup set'),
      spec: podOf({
        volume: volume({ defaultMode: 0o440 }),
        spec: withGroup,
        check: `${is('/v/data-1', 'value-1')}; ${mode('/v/data-1', '440')}; test "$(stat -Lc %g /v/data-1)" = 1001`,
      }),
    },
    {
      codename: name('with mappings'),
      spec: podOf({
        volume: volume({ items: mapped }),
        check: `${is('/v/path/to/data-2', 'value-2')}; test ! -e /v/data-1`,
      }),
    },
    {
      codename: name('with mappings and Item mode set'),
      spec: podOf({ volume: volume({ items: mappedMode }), check: mode('/v/path/to/data-2', '400') }),
    },
    {
      codename: name('with mappings as non-root'),
      spec: podOf({ volume: volume({ items: mapped }), spec: nonRoot, check: is('/v/path/to/data-2', 'value-2') }),
    },
  ];
});

const resources = { limits: { cpu: '1250m', memory: '64Mi' }, requests: { cpu: '250m', memory: '32Mi' } };
const field = (path: string, fieldPath: string, more: object = {}): object => ({
  path,
  fieldRef: { fieldPath },
  ...more,
});
const resource = (path: string, name: string, divisor = '1'): object => ({
  path,
  resourceFieldRef: { containerName: 'main', resource: name, divisor },
});

const downwardCases = (['Downward API volume', 'Projected downwardAPI'] as const).flatMap((kind): PodCase[] => {
  const volume = (items: readonly object[], more: object = {}): Volume =>
    kind === 'Downward API volume'
      ? { downwardAPI: { items: [...items], ...more } }
      : { projected: { sources: [{ downwardAPI: { items: [...items] } }], ...more } };
  const row = (what: string, wanted: Wanted): PodCase => ({
    codename: `[sig-storage] ${kind} should ${what}`,
    spec: podOf(wanted),
  });
  return [
    row('provide podname only', {
      volume: volume([field('podname', 'metadata.name')]),
      check: 'test "$(cat /v/podname)" = "$(hostname)"',
    }),
    row('set DefaultMode on files', {
      volume: volume([field('podname', 'metadata.name')], { defaultMode: 0o400 }),
      check: mode('/v/podname', '400'),
    }),
    row('set mode on item file', {
      volume: volume([field('podname', 'metadata.name', { mode: 0o400 })]),
      check: mode('/v/podname', '400'),
    }),
    row("provide container's cpu limit", {
      volume: volume([resource('x', 'limits.cpu', '1m')]),
      container: { resources },
      check: is('/v/x', '1250'),
    }),
    row("provide container's memory limit", {
      volume: volume([resource('x', 'limits.memory')]),
      container: { resources },
      check: is('/v/x', '67108864'),
    }),
    row("provide container's cpu request", {
      volume: volume([resource('x', 'requests.cpu', '1m')]),
      container: { resources },
      check: is('/v/x', '250'),
    }),
    row("provide container's memory request", {
      volume: volume([resource('x', 'requests.memory')]),
      container: { resources },
      check: is('/v/x', '33554432'),
    }),
    row('provide node allocatable (cpu) as default cpu limit if the limit is not set', {
      volume: volume([resource('x', 'limits.cpu')]),
      check: 'test "$(cat /v/x)" -ge 1',
    }),
    row('provide node allocatable (memory) as default memory limit if the limit is not set', {
      volume: volume([resource('x', 'limits.memory')]),
      check: 'test "$(cat /v/x)" -gt 1000000',
    }),
  ];
});

const emptyCases = ['tmpfs', 'default'].flatMap((medium): PodCase[] => {
  const volume = { emptyDir: medium === 'tmpfs' ? { medium: 'Memory' } : {} };
  const onTmpfs = medium === 'tmpfs' ? 'grep -q " /v tmpfs " /proc/mounts' : 'true';
  const modes = ['root', 'non-root'].flatMap((who) =>
    ['0644', '0666', '0777'].map((bits) => ({
      codename: `[sig-storage] EmptyDir volumes should support (${who},${bits},${medium})`,
      spec: podOf({
        volume,
        ...(who === 'root' ? {} : { spec: nonRoot }),
        check: `echo kept > /v/f; chmod ${bits} /v/f; ${mode('/v/f', bits.slice(1))}; ${is('/v/f', 'kept')}; ${onTmpfs}`,
      }),
    })),
  );
  const on = medium === 'tmpfs' ? 'tmpfs' : 'default medium';
  return [
    ...modes,
    {
      codename: `[sig-storage] EmptyDir volumes volume on ${on} should have the correct mode`,
      spec: podOf({ volume, check: `${mode('/v', '777')}; ${onTmpfs}` }),
    },
  ];
});

const shared: Volume = { emptyDir: {} };

const subPathCases: readonly PodCase[] = [
  ...fileKinds.slice(0, 2).map(([kind, volume]) => ({
    codename: `[sig-storage] Subpath Atomic writer volumes should support subpaths with ${kind === 'Secrets' ? 'secret' : 'configmap'} pod`,
    spec: podOf({
      volume: volume({}),
      mount: { name: 'v', mountPath: '/f', subPath: 'data-1' },
      check: is('/f', 'value-1'),
    }),
  })),
  {
    codename:
      '[sig-storage] Subpath Atomic writer volumes should support subpaths with configmap pod with mountPath of existing file',
    spec: podOf({
      volume: fileKinds[0][1]({}),
      mount: { name: 'v', mountPath: '/etc/hostname', subPath: 'data-1' },
      check: is('/etc/hostname', 'value-1'),
    }),
  },
  {
    codename: '[sig-storage] Subpath Atomic writer volumes should support subpaths with downward pod',
    spec: podOf({
      volume: { downwardAPI: { items: [field('x', 'metadata.namespace')] } },
      mount: { name: 'v', mountPath: '/f', subPath: 'x' },
      check: is('/f', 'conformance'),
    }),
  },
  {
    codename: '[sig-storage] Subpath Atomic writer volumes should support subpaths with projected pod',
    spec: podOf({
      volume: fileKinds[2][1]({}),
      mount: { name: 'v', mountPath: '/f', subPath: 'data-1' },
      check: is('/f', 'value-1'),
    }),
  },
  {
    codename: '[sig-node] Variable Expansion should allow substituting values in a volume subpath',
    spec: podOf({
      volume: shared,
      mount: { name: 'v', mountPath: '/v', subPathExpr: '$(POD_NAME)' },
      container: { env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] },
      check: 'touch /v/x',
    }),
  },
  {
    codename: '[sig-node] Variable Expansion should fail substituting values in a volume subpath with absolute path',
    spec: podOf({
      volume: shared,
      mount: { name: 'v', mountPath: '/v', subPathExpr: '$(POD_NAME)' },
      container: { env: [{ name: 'POD_NAME', value: '/tmp' }] },
      check: 'true',
    }),
    waiting: 'CreateContainerConfigError',
  },
];

const otherCases: readonly PodCase[] = [
  {
    codename: '[sig-storage] Projected combined should project all components that make up the projection API',
    spec: podOf({
      volume: {
        projected: {
          sources: [
            { configMap: { name: 'settings', items: [{ key: 'data-1', path: 'map' }] } },
            { secret: { name: 'keys', items: [{ key: 'data-2', path: 'key' }] } },
            { downwardAPI: { items: [field('podname', 'metadata.name')] } },
          ],
        },
      },
      check: `${is('/v/map', 'value-1')}; ${is('/v/key', 'value-2')}; test "$(cat /v/podname)" = "$(hostname)"`,
    }),
  },
  {
    codename: '[sig-auth] ServiceAccounts should mount an API token into pods',
    spec: podOf({
      check: `cd /var/run/secrets/kubernetes.io/serviceaccount; ${is('namespace', 'conformance')}; grep -q BEGIN ca.crt; test -s token`,
    }),
  },
  {
    codename: '[sig-storage] EmptyDir volumes pod should support shared volumes between containers',
    spec: podOf({
      volume: shared,
      check: 'until test -e /v/x; do sleep 0.1; done',
      spec: {
        initContainers: [
          {
            name: 'first',
            image,
            imagePullPolicy: 'Never',
            command: ['touch', '/v/x'],
            volumeMounts: [{ name: 'v', mountPath: '/v' }],
          },
        ],
      },
    }),
  },
  {
    codename: '[sig-node] KubeletManagedEtcHosts should test kubelet managed /etc/hosts file',
    spec: podOf({
      check: 'grep -q "$(hostname)" /etc/hosts; grep -q "192.0.2.9.*friend" /etc/hosts',
      spec: { hostAliases: [{ ip: '192.0.2.9', hostnames: ['friend'] }] },
    }),
  },
  {
    codename: '[sig-storage] ConfigMap binary data should be reflected in volume',
    spec: podOf({
      volume: { configMap: { name: 'letters' } },
      check: 'test "$(od -An -tx1 /v/bytes | tr -d " ")" = 00ff',
    }),
  },
];

export const podCases: readonly PodCase[] = [
  ...fileCases,
  ...downwardCases,
  ...emptyCases,
  ...subPathCases,
  ...environmentCases,
  ...otherCases,
  ...nodeCases,
];
