import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { command, type CommandResult } from '../../kit/command.ts';
import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { tempFolder } from '../../kit/temp-root.ts';

/** Debian's own: its packages are not seen by others. */
const python = '/usr/bin/python3';
const composeOne = '/usr/bin/docker-compose';

let instance: Instance;

before(async () => {
  instance = await openInstance();
});
after(async () => instance?.destroy());

test('the Docker SDK for Python', async () => {
  const script = join(import.meta.dirname, 'docker-sdk.py');
  const { code, stdout, stderr } = await command(python, [script], { env: instance.dockerEnv() });
  assert.deepEqual([code, stdout], [0, 'done\n'], stderr);
});

const skip = existsSync(composeOne) ? false : 'this distribution has no compose 1 any more';

test('compose 1 builds, starts, changes and removes a project', { skip }, async (t) => {
  const folder = tempFolder(t);
  const text = (mode: string): string => `
version: "2.4"
services:
  db:
    image: busybox
    command: sh -c 'touch /ready; exec sleep 3600'
    init: true
    healthcheck: { test: ["CMD", "test", "-e", "/ready"], interval: 1s, retries: 50 }
    networks: { back: { aliases: [database], ipv4_address: 10.97.9.20 } }
    volumes: ["data:/data"]
    restart: unless-stopped
    mem_limit: 64m
    stop_grace_period: 0s
  web:
    build: .
    depends_on: { db: { condition: service_healthy } }
    networks: [front, back]
    ports: ["127.0.0.1::80"]
    environment: { MODE: ${mode} }
    volumes: [/anonymous]
    sysctls: { net.ipv4.ip_unprivileged_port_start: 0 }
    init: true
    scale: 2
    stop_grace_period: 0s
networks:
  front: {}
  back: { ipam: { config: [{ subnet: 10.97.9.0/24, gateway: 10.97.9.1 }] } }
volumes:
  data:
`;
  writeFileSync(
    join(folder, 'Dockerfile'),
    'FROM busybox\nVOLUME /declared\nCMD ["sh", "-c", "echo $MODE; sleep 3600"]\n',
  );
  writeFileSync(join(folder, 'docker-compose.yml'), text('one'));
  const run = async (...args: readonly string[]): Promise<CommandResult> =>
    await command(composeOne, ['--project-name', 'old', ...args], { cwd: folder, env: instance.dockerEnv() });
  const output = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(...args);
    assert.equal(code, 0, `docker-compose ${args.join(' ')}: ${stderr}`);
    return stdout.trimEnd();
  };
  try {
    await output('build');
    await output('up', '--detach');
    assert.equal((await output('ps', '--quiet')).split('\n').length, 3);
    assert.match(await output('logs', '--no-color', 'web'), /web_1\s+\| one/);
    await output('exec', '-T', 'web', 'nslookup', 'database');
    assert.match(await output('port', 'web', '80'), /^127\.0\.0\.1:\d+$/);
    assert.match(await output('top', 'db'), /sleep 3600/);
    await output('exec', '-T', 'web', 'sh', '-c', 'echo kept | tee /anonymous/x > /declared/x');

    writeFileSync(join(folder, 'docker-compose.yml'), text('two'));
    await output('up', '--detach', '--scale', 'web=1');
    const seen = await output('exec', '-T', 'web', 'sh', '-c', 'echo $MODE; cat /anonymous/x /declared/x');
    assert.equal(seen, 'two\nkept\nkept');

    const oneOff = await run('run', '--rm', '-T', '-e', 'A=b', 'web', 'sh', '-c', 'echo $A; exit 5');
    assert.deepEqual([oneOff.code, oneOff.stdout.trim()], [5, 'b'], oneOff.stderr);
    await output('restart', 'db');
    await output('stop');
    await output('start');
  } finally {
    await output('down', '--volumes', '--rmi', 'local', '--remove-orphans');
  }
  assert.equal(await instance.dockerOutput('ps', '--all', '--quiet'), '');
  // Compose 1 leaves the anonymous volumes of what it scales down.
  assert.equal(await instance.dockerOutput('volume', 'ls', '--quiet', '--filter', 'name=old_data'), '');
});
