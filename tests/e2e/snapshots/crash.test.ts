import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'node:test';

import type { Digest } from '#formats/oci.ts';

import { collect, digestOf, makeWorld, never } from './world.ts';

test('kill -9 at any instant loses nothing acknowledged and leaves nothing half-made', async (t) => {
  const world = makeWorld(t);
  const told: string[] = [];
  for (const lines of [1, 2, 3, 5, 8, 9]) told.push(...(await runUntilKilled(world.dataDir, lines)));

  await using snapshots = await world.open();
  const committed = new Set(told.filter((line) => line.startsWith('commit ')).map((line) => line.split(' ')[1]));
  for (const line of told) {
    const [kind, name = '', chainId = name] = line.split(' ');
    // A snapshot whose commit was on its way may be gone: the layer holds its files then.
    if (kind === 'snapshot' && !committed.has(name) && isLast(name, told)) continue;
    if (kind === 'snapshot') assert.equal(snapshots.writables().includes(name), !committed.has(name), line);
    else {
      const layer = snapshots.layer(chainId as Digest);
      assert.equal(digestOf(await collect(snapshots.pack(chainId as Digest, never))), layer?.diffId, line);
    }
  }
  for (const id of snapshots.writables()) assert.ok(readdirSync(snapshots.mount(id)).length > 0);
  assert.deepEqual(readdirSync(join(world.dataDir, 'tmp')), []);
});

/** The lines that the process printed before it was killed, while it worked on what comes after the last. */
async function runUntilKilled(dataDir: string, lines: number): Promise<readonly string[]> {
  const script = join(import.meta.dirname, 'unpack-until-killed.ts');
  const child = spawn(process.execPath, [script, dataDir, `r${String(lines)}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  const told: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    told.push(line);
    if (told.length === lines) child.kill('SIGKILL');
  }
  assert.deepEqual(await exit, [null, 'SIGKILL']);
  return told;
}

function isLast(name: string, told: readonly string[]): boolean {
  const round = `${name.split('-')[0] ?? ''}-`;
  return told.findLast((line) => line.includes(` ${round}`)) === `snapshot ${name}`;
}
