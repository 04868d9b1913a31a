import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { admissionRequest } from '#kit/kube-auth/admission-request.ts';
import { MemoryObjects } from '#kit/kube-auth/memory-objects.ts';
import type { Resource } from '#kube/resource.ts';
import { ApiError } from '#kube/status.ts';
import type { Container, Pod, PodSpec } from '#kube/types/gen/core-v1.ts';

import type { AdmissionRequest } from '../admission.ts';
import { namespaceWarnings, podSecurity } from './pod-security.ts';
import { policyOf } from './policy.ts';
import { findingsOf, findingsText, levels, levelText, type Level } from './standards.ts';

const { signal } = new AbortController();

/** What a pod needs to be restricted. */
const safe: PodSpec = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [{ name: 'a', securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } }],
};

function findings(level: Level, spec: PodSpec, version: 'latest' | number = 'latest', annotations = {}): string {
  return findingsText(findingsOf({ metadata: { annotations }, spec }, { level, version }));
}

const container = (securityContext: Container['securityContext'], name = 'a'): Container => ({
  name,
  ...(securityContext === undefined ? {} : { securityContext }),
});

describe('the baseline', () => {
  const rows: readonly (readonly [PodSpec, string])[] = [
    [
      { hostNetwork: true, hostPID: true, hostIPC: true },
      'host namespaces (hostNetwork=true, hostPID=true, hostIPC=true)',
    ],
    [
      { containers: [container({ privileged: true })], initContainers: [container({ privileged: true }, 'b')] },
      'privileged (containers "b", "a" must not set securityContext.privileged=true)',
    ],
    [
      { containers: [container({ capabilities: { add: ['NET_RAW', 'CHOWN', 'BPF'] } })] },
      'non-default capabilities (container "a" must not include "BPF", "NET_RAW" in securityContext.capabilities.add)',
    ],
    [{ volumes: [{ name: 'v', hostPath: { path: '/' } }] }, 'hostPath volumes (volume "v")'],
    [
      {
        containers: [
          {
            name: 'a',
            ports: [
              { containerPort: 1, hostPort: 80 },
              { containerPort: 2, hostPort: 443 },
            ],
          },
        ],
      },
      'hostPort (container "a" uses hostPorts 443, 80)',
    ],
    [
      { containers: [container({ procMount: 'Unmasked' })] },
      'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
    ],
    [
      { securityContext: { seLinuxOptions: { type: 'spc_t', user: 'root' } } },
      'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set)',
    ],
    [
      {
        securityContext: { seccompProfile: { type: 'Unconfined' } },
        containers: [container({ seccompProfile: { type: 'Unconfined' } })],
      },
      'seccompProfile (pod and container "a" must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [
      { securityContext: { appArmorProfile: { type: 'Unconfined' } } },
      'forbidden AppArmor profile (pod must not set AppArmor profile type to "Unconfined")',
    ],
    [{ securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }, 'forbidden sysctls (kernel.msgmax)'],
    [
      { containers: [container({ windowsOptions: { hostProcess: true } })] },
      'hostProcess (container "a" must not set securityContext.windowsOptions.hostProcess=true)',
    ],
    [
      { containers: [{ name: 'a', livenessProbe: { httpGet: { host: '10.0.0.1', port: 80 } } }] },
      'probe or lifecycle host (container "a" uses probe or lifecycle host "10.0.0.1")',
    ],
  ];
  for (const [spec, text] of rows) {
    test(text, () => {
      assert.equal(findings('baseline', spec), text);
      assert.equal(findings('privileged', spec), '');
    });
  }

  test('as older versions had it', () => {
    const probe = { containers: [{ name: 'a', livenessProbe: { tcpSocket: { host: 'x', port: 80 } } }] };
    assert.equal(findings('baseline', probe, 33), '');
    const sysctls = { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem', value: '1' }] } };
    assert.equal(findings('baseline', sysctls, 31), 'forbidden sysctls (net.ipv4.tcp_rmem)');
    assert.equal(findings('baseline', sysctls, 99), '');
  });

  test('annotations of AppArmor', () => {
    const prefix = 'container.apparmor.security.beta.kubernetes.io/';
    const annotations = {
      [`${prefix}a`]: 'unconfined',
      [`${prefix}b`]: 'localhost/x',
      [`${prefix}c`]: 'runtime/default',
    };
    assert.equal(
      findings('baseline', {}, 'latest', annotations),
      `forbidden AppArmor profile (annotation must not set AppArmor profile type to "${prefix}a="unconfined"")`,
    );
  });
});

describe('the restricted standard', () => {
  test('an ordinary pod is told everything, in upstream order', () => {
    assert.equal(
      findings('restricted', { containers: [{ name: 'nginx' }], hostNetwork: true }),
      'host namespaces (hostNetwork=true), ' +
        'allowPrivilegeEscalation != false (container "nginx" must set securityContext.allowPrivilegeEscalation=false), ' +
        'unrestricted capabilities (container "nginx" must set securityContext.capabilities.drop=["ALL"]), ' +
        'runAsNonRoot != true (pod or container "nginx" must set securityContext.runAsNonRoot=true), ' +
        'seccompProfile (pod or container "nginx" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    );
    assert.equal(findings('restricted', safe), '');
  });

  const rows: readonly (readonly [PodSpec, string])[] = [
    [
      {
        volumes: [
          { name: 'v', hostPath: { path: '/' } },
          { name: 'n', nfs: { server: 's', path: '/' } },
        ],
      },
      'restricted volume types (volumes ["n" "v"] have restricted types)',
    ],
    [{ securityContext: { ...safe.securityContext, runAsUser: 0 } }, 'runAsUser=0 (pod must not set runAsUser=0)'],
    [
      { securityContext: { ...safe.securityContext, runAsNonRoot: false } },
      'runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)',
    ],
    [
      {
        containers: [
          container({
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE', 'CHOWN'] },
          }),
        ],
      },
      'unrestricted capabilities (container "a" must not include "CHOWN" in securityContext.capabilities.add)',
    ],
    [
      { securityContext: { ...safe.securityContext, seccompProfile: { type: 'Unconfined' } } },
      'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
  ];
  for (const [spec, text] of rows) test(text, () => assert.equal(findings('restricted', { ...safe, ...spec }), text));

  test('pods of Windows are asked less', () => {
    const spec: PodSpec = {
      containers: [{ name: 'a' }],
      securityContext: { runAsNonRoot: true },
      os: { name: 'windows' },
    };
    assert.equal(findings('restricted', spec), '');
    assert.match(findings('restricted', spec, 24), /allowPrivilegeEscalation/);
  });
});

test('each level forbids all that the one below forbids', () => {
  const context = fc.record(
    {
      privileged: fc.boolean(),
      runAsNonRoot: fc.boolean(),
      allowPrivilegeEscalation: fc.boolean(),
      capabilities: fc.record({
        add: fc.subarray(['CHOWN', 'NET_RAW', 'NET_BIND_SERVICE']),
        drop: fc.subarray(['ALL']),
      }),
      seccompProfile: fc.record({ type: fc.constantFrom('Unconfined', 'RuntimeDefault') }),
    },
    { requiredKeys: [] },
  );
  const spec = fc.record({
    hostNetwork: fc.boolean(),
    containers: fc.array(fc.record({ name: fc.constantFrom('a', 'b'), securityContext: context }), { maxLength: 2 }),
    volumes: fc.subarray([
      { name: 'h', hostPath: { path: '/' } },
      { name: 'e', emptyDir: {} },
    ]),
  });
  fc.assert(
    fc.property(spec, (one) => {
      const [privileged, baseline, restricted] = levels.map((level) => findings(level, one) !== '');
      assert.ok(privileged === false && (baseline === false || restricted === true));
    }),
  );
});

describe('the labels of a namespace', () => {
  const label = (name: string): string => `pod-security.kubernetes.io/${name}`;

  test('say what is asked, and warn as they enforce', () => {
    const { policy, causes } = policyOf({
      [label('enforce')]: 'baseline',
      [label('enforce-version')]: 'v1.30',
      [label('audit')]: 'restricted',
    });
    assert.deepEqual([policy.enforce, policy.audit, policy.warn].map(levelText), [
      'baseline:v1.30',
      'restricted:latest',
      'baseline:v1.30',
    ]);
    assert.deepEqual(causes, []);
    assert.equal(levelText(policyOf({}).policy.enforce), 'privileged:latest');
  });

  test('what is wrong counts as the strictest', () => {
    const { policy, causes } = policyOf({ [label('enforce')]: 'strict', [label('warn-version')]: '1.2' });
    assert.equal(levelText(policy.enforce), 'restricted:latest');
    assert.deepEqual(
      causes.map(({ field, message }) => `${field ?? ''}: ${message}`),
      [
        'metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted',
        'metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "1.2": must be "latest" or "v1.x"',
      ],
    );
  });
});

describe('PodSecurity', () => {
  const namespace = (labels: Record<string, string>): Resource => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'default', labels },
  });
  const label = 'pod-security.kubernetes.io/';
  const pod = (spec: PodSpec, name = 'p'): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec,
  });
  const ask = async (
    labels: Record<string, string>,
    parts: Partial<AdmissionRequest>,
    objects: readonly Resource[] = [],
  ): Promise<{
    readonly message: string;
    readonly warnings: readonly string[];
    readonly annotations: Record<string, string>;
  }> => {
    const request = admissionRequest(parts);
    const plugin = podSecurity(new MemoryObjects([namespace(labels), ...objects]));
    let message = '';
    try {
      await plugin.validate?.(request, signal);
    } catch (error) {
      assert.ok(error instanceof ApiError);
      ({ message } = error);
    }
    return { message, warnings: request.warnings, annotations: request.annotations };
  };
  const privileged = pod({ containers: [container({ privileged: true })] });
  const text = 'PodSecurity "baseline:latest": privileged (container "a" must not set securityContext.privileged=true)';

  test('refuses, warns and notes', async () => {
    const enforced = await ask({ [`${label}enforce`]: 'baseline' }, { object: privileged });
    assert.equal(enforced.message, `pods "p" is forbidden: violates ${text}`);
    assert.deepEqual(enforced.warnings, []);
    const warned = await ask({ [`${label}warn`]: 'baseline', [`${label}audit`]: 'baseline' }, { object: privileged });
    assert.deepEqual([warned.message, warned.warnings], ['', [`would violate ${text}`]]);
    assert.deepEqual(warned.annotations, {
      'pod-security.kubernetes.io/enforce-policy': 'privileged:latest',
      'pod-security.kubernetes.io/audit-violations': `would violate ${text}`,
    });
    assert.equal((await ask({ [`${label}enforce`]: 'restricted' }, { object: pod(safe) })).message, '');
  });

  test('templates are warned about', async () => {
    const deployment: Resource = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd', namespace: 'default' },
      spec: { template: { spec: privileged.spec } },
    };
    const about = { resource: { group: 'apps', version: 'v1', resource: 'deployments' }, object: deployment };
    const { message, warnings } = await ask({ [`${label}enforce`]: 'baseline' }, about);
    assert.deepEqual([message, warnings], ['', [`would violate ${text}`]]);
    const scale = await ask({ [`${label}enforce`]: 'baseline' }, { ...about, subresource: 'scale' });
    assert.deepEqual(scale.warnings, []);
  });

  test('updates count when they change what runs', async () => {
    const labels = { [`${label}enforce`]: 'baseline' };
    const update = { operation: 'UPDATE', object: privileged, oldObject: privileged } as const;
    assert.equal((await ask(labels, update)).message, '');
    const debug = pod({ ...privileged.spec, ephemeralContainers: [{ name: 'd', image: 'x' }] });
    const { message } = await ask(labels, { ...update, subresource: 'ephemeralcontainers', object: debug });
    assert.match(message, /violates PodSecurity/);
  });

  test('namespaces: wrong labels are refused, stricter ones tried on what is there', async () => {
    const about = { resource: { group: '', version: 'v1', resource: 'namespaces' }, namespace: '' } as const;
    const bad = namespace({ [`${label}enforce`]: 'x' });
    assert.match((await ask({}, { ...about, object: bad })).message, /must be one of privileged, baseline, restricted/);
    assert.equal((await ask({}, { ...about, operation: 'UPDATE', object: bad, oldObject: bad })).message, '');
    const stricter = {
      ...about,
      operation: 'UPDATE',
      object: namespace({ [`${label}enforce`]: 'baseline' }),
      oldObject: namespace({}),
    } as const;
    const { warnings } = await ask({}, stricter, [
      privileged,
      { ...privileged, metadata: { name: 'o', namespace: 'default' } },
    ]);
    assert.deepEqual(warnings, [
      'existing pods in namespace "default" violate the new PodSecurity enforce level "baseline:latest"',
      'o (and 1 other pod): privileged',
    ]);
    const many = Array.from({ length: 3001 }, (_, index) => pod(safe, `p${String(index)}`));
    assert.deepEqual(namespaceWarnings('x', many, { level: 'restricted', version: 'latest' }), [
      'new PodSecurity enforce level only checked against the first 3000 of 3001 existing pods',
    ]);
  });
});
