import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { eventually } from '../../kit/eventually.ts';
import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { Session } from '../docker/session.ts';

import { Project } from './project.ts';

let instance: Instance;

before(async () => {
  instance = await openInstance();
});
after(async () => instance?.destroy());

const pause = 'command: sleep 3600\n    stop_grace_period: 0s';

test('services come up in the order of their conditions, and see what the file gives them', async () => {
  await instance.dockerOutput('network', 'create', 'harbour');
  await instance.dockerOutput('volume', 'create', 'cargo');
  {
    await using project = new Project(instance, {
      'compose.yaml': wholeFile,
      'app.env': 'FROM_FILE=one\n',
      'token.txt': 'token-of-file',
      'app.conf': 'conf-of-file',
      'app/page.txt': 'page',
    });
    const up = await project.run(['up', '--detach', '--wait'], { env: { SECRET_VALUE: 'token-of-env' } });
    assert.equal(up.code, 0, up.stderr + up.stdout);
    assert.deepEqual(await project.states(), [
      'db:running',
      'migrate:exited',
      'pool:running',
      'pool:running',
      'web:running',
    ]);
    const seen = await project.output('logs', '--no-log-prefix', 'web');
    for (const line of [
      'FROM_FILE=one',
      'MODE=plain',
      'OTHER=fallback',
      'migrated',
      'token-of-file',
      'token-of-env',
      'conf-of-file',
      'inline=fallback',
      'page',
      'nofile=512',
      'port=0',
      'uid=1000',
    ]) {
      assert.ok(seen.split('\n').includes(line), `${line} in\n${seen}`);
    }
    await assertNetworks(project);
    await assertInspected(project);
    // What is there already is left as it is.
    assert.doesNotMatch(await project.output('up', '--detach', '--no-deps', 'db', 'pool'), /Recreate|Creating/);
  }
  // External things outlive the project, its own do not.
  assert.equal(await instance.dockerOutput('volume', 'ls', '-q'), 'cargo');
  assert.equal(
    await instance.dockerOutput('network', 'ls', '-q', '--filter', 'type=custom', '--format', '{{.Name}}'),
    'harbour',
  );
  await instance.dockerOutput('network', 'rm', 'harbour');
  await instance.dockerOutput('volume', 'rm', 'cargo');
});

async function assertNetworks(project: Project): Promise<void> {
  const exec = (service: string, script: string): Promise<string> =>
    project.output('exec', '-T', service, 'sh', '-c', script);
  const wget = (name: string): Promise<string> => exec('web', `wget -q -O - http://${name}/state`);
  assert.equal(await wget('db'), 'migrated');
  assert.equal(await wget('database'), 'migrated');
  assert.equal(await wget('10.98.9.20'), 'migrated');
  assert.match(await exec('web', 'cat /etc/hosts'), /^10\.0\.0\.1\s+far$/m);
  // A service on an internal network alone has no way out, and does not know the others.
  assert.equal(await exec('pool', 'ip route | grep -c default || true'), '0');
  assert.match(await exec('pool', 'nslookup db 2>&1 || true'), /can't (resolve|find)/);
  const port = await project.output('port', 'web', '80');
  assert.match(port, /^127\.0\.0\.1:\d+$/);
  assert.equal(await (await fetch(`http://${port}/page.txt`)).text(), 'page');
}

async function assertInspected(project: Project): Promise<void> {
  const id = await project.output('ps', '--quiet', 'web');
  const format = [
    '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}} {{.HostConfig.Init}}',
    '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.LogConfig.Config}} {{index .Config.Labels "tier"}}',
    '{{.HostConfig.CapAdd}} {{.HostConfig.CapDrop}} {{.Config.StopTimeout}} {{.HostConfig.ShmSize}}',
  ];
  const shown = await instance.dockerOutput('inspect', '--format', format.join('\n'), id);
  assert.deepEqual(shown.replaceAll('CAP_', '').split('\n'), [
    '67108864 500000000 50 true',
    'on-failure map[max-file:2 max-size:1m] front',
    '[NET_ADMIN] [CHOWN] 1 8388608',
  ]);
}

const wholeFile = `
name: whole
services:
  db:
    image: busybox
    command: ["sh", "-c", "mkdir -p /data; touch /ready; exec httpd -f -p 80 -h /data"]
    healthcheck: { test: ["CMD", "test", "-e", "/ready"], interval: 1s, retries: 50, start_period: 30s, start_interval: 100ms }
    networks: { back: { aliases: [database], ipv4_address: 10.98.9.20 } }
    volumes: ["data:/data"]
    init: true
    stop_grace_period: 0s
  migrate:
    image: busybox
    command: ["sh", "-c", "echo migrated > /data/state"]
    volumes: ["data:/data"]
    networks: [back]
    depends_on: { db: { condition: service_healthy } }
  web:
    image: busybox
    command:
      - sh
      - -c
      - |
        env; cat /data/state /run/secrets/token; echo; cat /run/secrets/of-env; echo; cat /etc/app.conf; echo; cat /etc/inline.conf
        cat /app/page.txt; echo; echo nofile=$$(ulimit -n) port=$$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start) | tr ' ' '\\n'
        echo uid=$$(id -u)
        exec httpd -f -p 80 -h /app
    depends_on:
      db: { condition: service_healthy }
      migrate: { condition: service_completed_successfully }
      pool: { condition: service_started }
    networks: { front: {}, back: { aliases: [www] }, outer: {} }
    ports: ["127.0.0.1::80", "127.0.0.1::81-83"]
    volumes:
      - { type: volume, source: data, target: /data, read_only: true }
      - { type: tmpfs, target: /scratch, tmpfs: { size: 1m } }
      - ./app:/app:ro
      - cargo:/cargo
      - ram:/ram
    secrets: [token, { source: of-env, target: of-env }]
    configs: [{ source: app, target: /etc/app.conf }, { source: inline, target: /etc/inline.conf }]
    env_file: [app.env]
    environment: { MODE: plain, OTHER: "\${NOT_SET:-fallback}" }
    labels: { tier: front }
    extra_hosts: ["far:10.0.0.1", "host.docker.internal:host-gateway"]
    init: true
    tmpfs: /run2
    ulimits: { nofile: { soft: 512, hard: 1024 } }
    sysctls: { net.ipv4.ip_unprivileged_port_start: 0 }
    cap_add: [NET_ADMIN]
    cap_drop: [CHOWN]
    user: "1000:1000"
    working_dir: /tmp
    hostname: figurehead
    shm_size: 8m
    restart: on-failure
    security_opt: ["no-new-privileges:true"]
    logging: { driver: json-file, options: { max-size: 1m, max-file: "2" } }
    deploy: { resources: { limits: { cpus: "0.5", memory: 64m, pids: 50 } } }
    stop_grace_period: 1s
    pull_policy: missing
  pool:
    image: busybox
    ${pause}
    deploy: { replicas: 2 }
    networks: [hidden]
  debug:
    image: busybox
    profiles: [debug]
    ${pause}
networks:
  front: { driver: bridge, labels: { side: out } }
  back: { ipam: { config: [{ subnet: 10.98.9.0/24, gateway: 10.98.9.1, ip_range: 10.98.9.128/25 }] } }
  hidden: { internal: true }
  outer: { external: true, name: harbour }
volumes:
  data: { labels: { kind: state } }
  cargo: { external: true }
  ram: { driver_opts: { type: tmpfs, device: tmpfs, o: size=1m } }
secrets:
  token: { file: ./token.txt }
  of-env: { environment: SECRET_VALUE }
configs:
  app: { file: ./app.conf }
  inline: { content: "inline=\${NOT_SET:-fallback}\\n" }
`;

test('in the foreground it shows what all print, ends when one ends, and with its code', async () => {
  const text = `
services:
  one: { image: busybox, command: ["sh", "-c", "echo from-one; exit 3"] }
  two:
    image: busybox
    ${pause}
`;
  await using project = new Project(instance, { 'compose.yaml': text });
  const { code, stdout } = await project.run(['up', '--exit-code-from', 'one', '--timeout', '0']);
  assert.equal(code, 3);
  assert.match(stdout, /one-1\s+\| from-one/);
  assert.deepEqual(await project.states(), ['one:exited', 'two:exited']);
});

test('logs follow, and interrupting up stops all', async () => {
  const text = `
services:
  clock:
    image: busybox
    command: ["sh", "-c", "trap 'echo bye; exit 0' TERM; i=0; while :; do echo tick $$i; i=$$((i+1)); sleep 0.1; done"]
`;
  await using project = new Project(instance, { 'compose.yaml': text });
  await using up = Session.terminal(instance, ...project.args('up'));
  await up.expect(/tick 2/);
  {
    await using logs = Session.docker(instance, ...project.args('logs', '--follow', '--tail', '1'));
    await logs.expect(/tick \d+[\s\S]*tick \d+/);
  }
  up.send('\u0003');
  await up.expect(/bye/);
  await up.end();
  assert.deepEqual(await project.states(), ['clock:exited']);
});

test('a changed service is made anew and keeps its data, the others stay', async () => {
  const text = (mode: string, extra = ''): string => `
services:
  app:
    image: busybox
    environment: { MODE: ${mode} }
    volumes: [/anonymous, "named:/named"]
    ports: ["127.0.0.1::80"]
    ${pause}
  other:
    image: busybox
    network_mode: "service:app"
    ${pause}
  still:
    image: busybox
    ${pause}
${extra}
volumes: { named: }
`;
  await using project = new Project(instance, {
    'compose.yaml': text('one', `  orphan:\n    image: busybox\n    ${pause}\n`),
  });
  await project.output('up', '--detach');
  const ids = async (): Promise<readonly string[]> =>
    (await project.output('ps', '--all', '--quiet', '--no-trunc', 'app', 'other', 'still')).split('\n').sort();
  const before = await ids();
  await project.output('exec', '-T', 'app', 'sh', '-c', 'echo kept | tee /anonymous/x > /named/x');
  project.write('compose.yaml', text('two'));

  await project.output('up', '--detach', '--no-recreate');
  assert.deepEqual(await ids(), before);

  const { stderr, stdout } = await project.run(['up', '--detach', '--remove-orphans']);
  assert.match(stderr + stdout, /orphan-1\s+Removed/);
  const after = await ids();
  assert.equal(after.filter((id) => before.includes(id)).length, 1);
  assert.equal(
    await project.output('exec', '-T', 'app', 'sh', '-c', 'echo $MODE; cat /anonymous/x /named/x'),
    'two\nkept\nkept',
  );
  const names = await project.output('ps', '--format', '{{.Name}}');
  assert.ok(
    names.split('\n').every((name) => /-(app|other|still)-1$/.test(name)),
    names,
  );

  await project.output('up', '--detach', '--scale', 'still=3');
  assert.equal((await project.states()).filter((state) => state === 'still:running').length, 3);
  await project.output('up', '--detach', '--scale', 'still=1');
  assert.equal((await project.states()).filter((state) => state === 'still:running').length, 1);
  await project.output('up', '--detach', '--force-recreate', '--renew-anon-volumes');
  assert.equal(await project.output('exec', '-T', 'app', 'sh', '-c', 'ls /anonymous; cat /named/x'), 'kept');
});

test('a link is a name for one service alone', async () => {
  const text = `
services:
  app:
    image: busybox
    links: ["db:store"]
    ${pause}
  db:
    image: busybox
    ${pause}
`;
  await using project = new Project(instance, { 'compose.yaml': text });
  await project.output('up', '--detach');
  const knows = async (service: string): Promise<boolean> =>
    (await project.run(['exec', '-T', service, 'nslookup', 'store'])).code === 0;
  assert.deepEqual([await knows('app'), await knows('db')], [true, false]);
});

test('two projects of the same file do not see each other', async () => {
  const text = `services:\n  app:\n    image: busybox\n    ${pause}\n`;
  await using one = new Project(instance, { 'compose.yaml': text });
  await using two = new Project(instance, { 'compose.yaml': text });
  await Promise.all([one.output('up', '--detach'), two.output('up', '--detach')]);
  const listed = JSON.parse(await one.output('ls', '--format', 'json')) as readonly { Status: string }[];
  assert.deepEqual(
    listed.map(({ Status }) => Status),
    ['running(1)', 'running(1)'],
  );
  await one.output('down', '--timeout', '0');
  assert.deepEqual(await two.states(), ['app:running']);
  const resolves = await two.run(['exec', '-T', 'app', 'nslookup', 'app']);
  assert.equal(resolves.code, 0, resolves.stdout);
});

test('a project outlives the daemon, and compose finds it again', async () => {
  const text = `services:\n  app:\n    image: busybox\n    ${pause}\n    depends_on: [db]\n  db:\n    image: busybox\n    ${pause}\n`;
  await using project = new Project(instance, { 'compose.yaml': text });
  await project.output('up', '--detach');
  const before = await project.output('ps', '--quiet');
  await instance.kill9();
  await instance.start();
  assert.equal(await project.output('ps', '--quiet'), before);
  assert.doesNotMatch(await project.output('up', '--detach'), /Recreate|Starting/);
  assert.equal(await project.output('exec', '-T', 'app', 'nslookup', 'db').then(() => 'found'), 'found');
});

test('services of a profile come when they are asked for', async () => {
  const text = `services:\n  app:\n    image: busybox\n    ${pause}\n  debug:\n    image: busybox\n    profiles: [debug]\n    ${pause}\n`;
  await using project = new Project(instance, { 'compose.yaml': text });
  await project.output('up', '--detach');
  assert.deepEqual(await project.states(), ['app:running']);
  await project.output('--profile', 'debug', 'up', '--detach');
  await eventually('both run', async () => (await project.states()).join() === 'app:running,debug:running');
});

test('up --wait fails when a service turns out unhealthy', async () => {
  const text = `
services:
  sick:
    image: busybox
    healthcheck: { test: ["CMD", "false"], interval: 100ms, retries: 1 }
    ${pause}
  later: { image: busybox, command: "true", depends_on: { sick: { condition: service_healthy } } }
`;
  await using project = new Project(instance, { 'compose.yaml': text });
  const { code, stderr, stdout } = await project.run(['up', '--detach', '--wait']);
  assert.equal(code, 1);
  assert.match(stderr + stdout, /sick-1 is unhealthy/);
  assert.deepEqual(await project.states(), ['later:created', 'sick:running']);
});
