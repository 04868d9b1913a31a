import assert from 'node:assert/strict';
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { fetchUrl } from './fetch-url.ts';

const never = new AbortController().signal;

test('goes through the proxy, but not to loopback', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-fetch-'));
  t.after(() => rm(folder, { recursive: true }));
  const server = createServer((request, response) => response.end(`asked for ${request.url ?? ''}`));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server[Symbol.asyncDispose]());
  const own = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const fetch = async (name: string, url: string): Promise<string> => {
    const path = join(folder, name);
    await fetchUrl(url, { path, checksum: '', proxy: { HTTP_PROXY: own } }, never);
    return await readFile(path, 'utf8');
  };
  assert.equal(await fetch('far', 'http://files.invalid/a'), 'asked for http://files.invalid/a');
  assert.equal(await fetch('near', `${own}/b`), 'asked for /b');
});
