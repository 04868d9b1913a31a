import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { nowMs } from '#base/clock.ts';
import { noExtensions } from '#formats/x509/extensions.ts';
import { nameOf } from '#formats/x509/name.ts';
import { nodeClientCertificate } from '#pki/certificates.ts';
import { openClusterPki } from '#pki/cluster-pki.ts';
import { keyPem, newKey } from '#pki/key-file.ts';
import { makeSigningRequest } from '#pki/signing-request.ts';

import { command, type CommandResult } from '../../kit/command.ts';
import { eventually } from '../../kit/eventually.ts';
import { startInstance, type Instance } from '../../kit/instance.ts';
import { kubernetesClient } from '../../kit/kubernetes-clients.ts';
import { tempFolder } from '../../kit/temp-root.ts';

describe('who may do what, as kubectl sees it', () => {
  let instance: Instance;
  let folder: string;
  let tries = 0;
  const ends: (() => Promise<void> | void)[] = [];
  const owner = { after: (work: () => Promise<void> | void) => void ends.push(work) };
  after(async () => {
    for (const end of ends) await end();
  });
  before(async () => {
    folder = tempFolder(owner);
    writeFileSync(
      join(folder, 'audit.yaml'),
      'apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: RequestResponse}]\n',
    );
    const secret = Buffer.alloc(32, 7).toString('base64');
    writeFileSync(
      join(folder, 'encryption.yaml'),
      'apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n' +
        `- resources: [secrets]\n  providers: [{aesgcm: {keys: [{name: k, secret: "${secret}"}]}}, {identity: {}}]\n`,
    );
    instance = await startInstance(owner, {
      settings: [
        `kubernetes.auditPolicy=${join(folder, 'audit.yaml')}`,
        `kubernetes.encryptionConfiguration=${join(folder, 'encryption.yaml')}`,
      ],
    });
  });

  const run = async (...args: readonly string[]): Promise<CommandResult> =>
    await command(kubernetesClient('kubectl'), args, {
      env: { KUBECONFIG: instance.paths.kubeconfig, HOME: folder },
    });
  const output = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(...args);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return stdout.trimEnd();
  };
  const refused = async (...args: readonly string[]): Promise<string> => {
    const { code, stderr } = await run(...args);
    assert.equal(code, 1, args.join(' '));
    return stderr.trimEnd();
  };

  test('administrators may everything; others what roles say', async () => {
    assert.equal(await output('auth', 'can-i', '*', '*'), 'yes');
    await output('create', 'role', 'reader', '--verb=get,list', '--resource=pods');
    await output('create', 'rolebinding', 'readers', '--role=reader', '--user=jane');
    await eventually(
      'the binding counts',
      async () => (await run('auth', 'can-i', 'list', 'pods', '--as', 'jane')).code === 0,
    );
    assert.equal(
      await refused('get', 'secrets', '--as', 'jane'),
      'Error from server (Forbidden): secrets is forbidden: User "jane" cannot list resource "secrets" in API group "" in the namespace "default"',
    );
    assert.match(
      await refused('get', 'nodes', '--as', 'jane'),
      /cannot list resource "nodes" in API group "" at the cluster scope$/,
    );
    assert.match(
      await output('auth', 'whoami', '--as', 'x', '--as-group', 'a', '--as-group', 'b, c'),
      /\[a b, c system:authenticated\]/,
    );
  });

  test('nobody grants more than he has', async () => {
    await output('create', 'ns', 'team');
    await output('create', 'rolebinding', 'boss', '-n', 'team', '--clusterrole=admin', '--user=boss');
    await eventually(
      'he is admin',
      async () => (await run('auth', 'can-i', 'create', 'roles', '-n', 'team', '--as', 'boss')).code === 0,
    );
    await output('create', 'role', 'ok', '-n', 'team', '--verb=get', '--resource=pods', '--as', 'boss');
    assert.match(
      await refused('create', 'role', 'more', '-n', 'team', '--verb=get', '--resource=nodes', '--as', 'boss'),
      /user "boss" \(groups=\["system:authenticated"\]\) is attempting to grant RBAC permissions not currently held:\n\{APIGroups:\[""\], Resources:\["nodes"\], Verbs:\["get"\]\}$/,
    );
    assert.match(
      await refused(
        'create',
        'rolebinding',
        'more',
        '-n',
        'team',
        '--clusterrole=cluster-admin',
        '--user=x',
        '--as',
        'boss',
      ),
      /not currently held:\n\{APIGroups:\["\*"\], Resources:\["\*"\], Verbs:\["\*"\]\}/,
    );
  });

  test('tokens of service accounts log in until their account is gone', async () => {
    await output('create', 'sa', 'robot');
    const token = await output('create', 'token', 'robot');
    const server = await output('config', 'view', '--minify', '-o', 'jsonpath={.clusters[0].cluster.server}');
    const authority = join(folder, 'ca.crt');
    writeFileSync(authority, (await output('get', 'cm', 'kube-root-ca.crt', '-o', 'jsonpath={.data.ca\\.crt}')) + '\n');
    const asRobot = [
      '--kubeconfig',
      '/dev/null',
      '--server',
      server,
      '--certificate-authority',
      authority,
      '--token',
      token,
    ];
    assert.match(await output(...asRobot, 'auth', 'whoami'), /Username +system:serviceaccount:default:robot/);
    assert.match(
      await refused(...asRobot, 'get', 'pods'),
      /User "system:serviceaccount:default:robot" cannot list resource "pods"/,
    );
    await output('delete', 'sa', 'robot');
    assert.match(await refused(...asRobot, 'get', 'pods'), /You must be logged in to the server/);
    assert.match(
      await refused('create', 'token', 'default', '--duration', '5m'),
      /may not specify a duration less than 10 minutes/,
    );
    assert.match(await output('get', '--raw', '/openid/v1/jwks'), /"alg":"ES256"/);
  });

  test('a certificate that was asked for, approved and signed logs in', async () => {
    const key = newKey();
    const request = makeSigningRequest({ subject: nameOf('ann', ['dev']), extensions: noExtensions }, key);
    writeFileSync(
      join(folder, 'csr.json'),
      JSON.stringify({
        apiVersion: 'certificates.k8s.io/v1',
        kind: 'CertificateSigningRequest',
        metadata: { name: 'ann' },
        spec: {
          signerName: 'kubernetes.io/kube-apiserver-client',
          usages: ['digital signature', 'client auth'],
          request: Buffer.from(request).toString('base64'),
        },
      }),
    );
    await output('create', '-f', join(folder, 'csr.json'));
    assert.match(await output('get', 'csr', 'ann'), /kubernetes-admin +<none> +Pending/);
    await output('certificate', 'approve', 'ann');
    const certificate = await eventually('it is signed', async () => {
      const text = await output('get', 'csr', 'ann', '-o', 'jsonpath={.status.certificate}');
      return text === '' ? undefined : Buffer.from(text, 'base64').toString();
    });
    writeFileSync(join(folder, 'ann.crt'), certificate);
    writeFileSync(join(folder, 'ann.key'), keyPem(key));
    const asAnn = ['--client-certificate', join(folder, 'ann.crt'), '--client-key', join(folder, 'ann.key')];
    const server = await output('config', 'view', '--minify', '-o', 'jsonpath={.clusters[0].cluster.server}');
    const args = ['--kubeconfig', '/dev/null', '--server', server, '--insecure-skip-tls-verify', ...asAnn];
    assert.match(await output(...args, 'auth', 'whoami'), /Username +ann\nGroups +\[dev system:authenticated\]/);
  });

  test('pods get account, token and tolerations; namespaces say how safe they must be', async () => {
    await output('run', 'web', '--image=nginx');
    const path =
      '{.spec.serviceAccountName} {.spec.priority} {.spec.tolerations[*].tolerationSeconds} {.spec.volumes[0].name}';
    assert.match(await output('get', 'pod', 'web', '-o', `jsonpath=${path}`), /^default 0 300 300 kube-api-access-/);
    await output('create', 'ns', 'strict');
    await output('label', 'ns', 'strict', 'pod-security.kubernetes.io/enforce=restricted');
    assert.match(
      await refused('run', 'bad', '-n', 'strict', '--image=nginx'),
      /^Error from server \(Forbidden\): pods "bad" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false/,
    );
    const { stderr } = await run('create', 'deployment', 'd', '-n', 'strict', '--image=nginx');
    assert.match(stderr, /^Warning: would violate PodSecurity "restricted:latest"/);
  });

  test('a node agent sees and writes its own part alone', async () => {
    const pki = await openClusterPki(instance.paths.pki, nowMs());
    const pair = pki.issue(nodeClientCertificate('n1'), nowMs());
    writeFileSync(join(folder, 'n1.crt'), pair.certificatePem);
    writeFileSync(join(folder, 'n1.key'), pair.keyPem);
    const server = await output('config', 'view', '--minify', '-o', 'jsonpath={.clusters[0].cluster.server}');
    const asNode = ['--kubeconfig', '/dev/null', '--server', server, '--insecure-skip-tls-verify'];
    asNode.push('--client-certificate', join(folder, 'n1.crt'), '--client-key', join(folder, 'n1.key'));
    const write = (name: string, object: object): string => {
      writeFileSync(join(folder, name), JSON.stringify({ apiVersion: 'v1', ...object }));
      return join(folder, name);
    };
    await output(...asNode, 'create', '-f', write('n1.json', { kind: 'Node', metadata: { name: 'n1' } }));
    assert.match(
      await refused(...asNode, 'create', '-f', write('n2.json', { kind: 'Node', metadata: { name: 'n2' } })),
      /node "n1" is not allowed to modify node "n2"$/,
    );
    await output('create', 'secret', 'generic', 'used', '--from-literal=a=b');
    await output('create', 'secret', 'generic', 'other', '--from-literal=a=b');
    const containers = [{ name: 'a', image: 'x', envFrom: [{ secretRef: { name: 'used' } }] }];
    await output(
      'create',
      '-f',
      write('p.json', { kind: 'Pod', metadata: { name: 'p' }, spec: { nodeName: 'n1', containers } }),
    );
    await eventually(
      'the node sees the secret',
      async () => (await run(...asNode, 'get', 'secret', 'used')).code === 0,
    );
    assert.match(
      await refused(...asNode, 'get', 'secret', 'other'),
      /no relationship found between node 'n1' and this object$/,
    );
    assert.match(await output(...asNode, 'get', 'pods', '-A', '--field-selector', 'spec.nodeName=n1'), /default +p /);
    assert.match(
      await refused(...asNode, 'get', 'pods', '-A'),
      /can only list\/watch pods with spec.nodeName field selector$/,
    );
    assert.match(await refused(...asNode, 'create', 'token', 'default'), /node requested token not bound to a pod$/);
    const uid = await output('get', 'pod', 'p', '-o', 'jsonpath={.metadata.uid}');
    const bound = ['--bound-object-kind', 'Pod', '--bound-object-name', 'p', '--bound-object-uid', uid];
    await output(...asNode, 'create', 'token', 'default', ...bound);
  });

  test('quotas are counted down and up again', async () => {
    await output('create', 'ns', 'small');
    await output('create', 'quota', 'q', '-n', 'small', '--hard=pods=1');
    await output('run', 'a', '-n', 'small', '--image=nginx');
    assert.match(
      await refused('run', 'b', '-n', 'small', '--image=nginx'),
      /pods "b" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1$/,
    );
    await output('delete', 'pod', 'a', '-n', 'small', '--now');
    await eventually(
      'there is room again',
      async () => (await run('run', 'b', '-n', 'small', '--image=nginx')).code === 0,
    );
  });

  test('policies in CEL refuse what they do not like', async () => {
    const rules = [
      { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['deployments'] },
    ];
    const policy = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'replicas' },
      spec: {
        matchConstraints: { resourceRules: rules, namespaceSelector: { matchLabels: { policed: 'yes' } } },
        validations: [
          { expression: 'object.spec.replicas <= 3', messageExpression: '"has " + string(object.spec.replicas)' },
        ],
      },
    };
    const binding = {
      ...policy,
      kind: 'ValidatingAdmissionPolicyBinding',
      spec: { policyName: 'replicas', validationActions: ['Deny'] },
    };
    writeFileSync(join(folder, 'policy.yaml'), [policy, binding].map((one) => JSON.stringify(one)).join('\n---\n'));
    await output('create', '-f', join(folder, 'policy.yaml'));
    await output('create', 'ns', 'policed');
    await output('label', 'ns', 'policed', 'policed=yes');
    const create = async (name: string, replicas: string): Promise<CommandResult> =>
      await run('create', 'deployment', name, '-n', 'policed', '--image=nginx', `--replicas=${replicas}`);
    const { stderr } = await eventually('the policy is known', async () => {
      const result = await create(`big-${String((tries += 1))}`, '5');
      return result.code === 0 ? undefined : result;
    });
    assert.match(stderr, /ValidatingAdmissionPolicy 'replicas' with binding 'replicas' denied request: has 5$/m);
    assert.equal((await create('small', '2')).code, 0);
  });

  test('secrets are neither on the disk nor in the audit log as they are', async () => {
    await output('create', 'secret', 'generic', 's', '--from-literal=password=a-very-secret-word');
    assert.equal(
      Buffer.from(await output('get', 'secret', 's', '-o', 'jsonpath={.data.password}'), 'base64').toString(),
      'a-very-secret-word',
    );
    const encoded = Buffer.from('a-very-secret-word').toString('base64');
    const stored = ['store.db', 'store.db-wal']
      .map((name) => readFileSync(join(instance.paths.store, name), 'latin1'))
      .join('');
    assert.ok(stored.includes('k8s:enc:aesgcm:v1:k:') && !stored.includes(encoded));
    const log = await eventually('it is noted', () => {
      const text = readFileSync(join(instance.paths.data, 'log/audit.log'), 'utf8');
      return text.includes('"resource":"secrets"') ? text : undefined;
    });
    assert.ok(!log.includes(encoded));
    const events = log
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { user?: { username?: string } });
    assert.ok(events.some(({ user }) => user?.username === 'kubernetes-admin'));
  });
});
