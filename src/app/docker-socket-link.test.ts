import assert from 'node:assert/strict';
import { mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { linkDockerSocket, linkState, unlinkDockerSocket } from './docker-socket-link.ts';

test("docker's usual socket leads to ours unless somebody else has it", (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'link-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const target = join(folder, 'ours.sock');
  const path = join(folder, 'run/docker.sock');

  assert.equal(linkState(path, target), 'absent');
  assert.equal(linkDockerSocket(path, target), true);
  assert.equal(readlinkSync(path), target);
  assert.equal(linkDockerSocket(path, target), true, 'twice is fine');
  unlinkDockerSocket(path, target);
  assert.equal(linkState(path, target), 'absent');
  unlinkDockerSocket(path, target);

  symlinkSync(join(folder, 'nowhere'), path);
  assert.equal(linkState(path, target), 'dangling');
  assert.equal(linkDockerSocket(path, target), true, 'a link that leads nowhere is replaced');

  const other = join(folder, 'other.sock');
  writeFileSync(other, '');
  assert.equal(linkDockerSocket(other, target), false, 'a file of others stays');
  const byOther = join(folder, 'by-other.sock');
  symlinkSync(other, byOther);
  assert.equal(linkDockerSocket(byOther, target), false, 'a link of others stays');
  unlinkDockerSocket(byOther, target);
  assert.equal(readlinkSync(byOther), other);
});
