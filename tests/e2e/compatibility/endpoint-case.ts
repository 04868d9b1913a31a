import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';

import { maximumApiVersion } from '#docker/http/api-version.ts';
import type { Instance } from '../../kit/instance.ts';

/** Rows of the matrix for endpoints: a request, and what the answer is. `V` in it stands for the minor API version. */
export interface EndpointCase {
  /** The rows it stands for, `METHOD /path`; exactly one of the three is there. */
  readonly proves?: string;
  readonly refuses?: string;
  readonly inapplicable?: string | readonly string[];
  /** Part of the message when it is refused or does not apply. */
  readonly sentence?: string;
  /** Values of the path's parameters. */
  readonly with?: Readonly<Record<string, string>>;
  readonly query?: string | (() => string);
  /** JSON, or bytes. */
  readonly body?: object | (() => Promise<Buffer>);
  /** What the oldest and the newest version answer. */
  readonly status?: number | readonly [number, number];
  readonly shows?: RegExp;
  /** The minor version that brought it. */
  readonly since?: number;
}

const oldest = 24;
const newest = maximumApiVersion.minor;

/** Makes a test of each case, in order: the requests of a table are a story. Each is sent by the oldest and the newest API. */
export function testEndpoints(instance: () => Instance, cases: readonly EndpointCase[]): void {
  for (const one of cases) {
    for (const row of [one.proves ?? one.refuses ?? one.inapplicable ?? []].flat()) {
      test(row, async () => {
        await ask(instance(), row, one, one.since ?? oldest, 0);
        await ask(instance(), row, one, newest, 1);
      });
    }
  }
}

async function ask(instance: Instance, row: string, one: EndpointCase, version: number, turn: 0 | 1): Promise<void> {
  const fill = (text: string): string => text.replaceAll(/\bV\b/g, String(version));
  const [method = '', template = ''] = row.split(' ');
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => fill(one.with?.[name] ?? 'nothing'));
  const query = typeof one.query === 'function' ? one.query() : (one.query ?? '');
  const target = `/v1.${String(version)}${path}${query === '' ? '' : `?${fill(query)}`}`;
  const { body } = one;
  const bytes = typeof body === 'function' ? await body() : fill(JSON.stringify(body ?? {}));
  const type = typeof body === 'function' ? 'application/x-tar' : 'application/json';
  const answer = await send(
    instance,
    method,
    target,
    method === 'GET' || method === 'HEAD' ? undefined : { bytes, type },
  );
  const shown = `${method} ${target}: ${String(answer.status)} ${answer.text.slice(0, 500)}`;
  if (one.sentence !== undefined) {
    assert.ok(answer.status >= 400, shown);
    assert.ok(method === 'HEAD' || answer.text.includes(one.sentence), shown);
    return;
  }
  const { status = 200 } = one;
  assert.equal(answer.status, typeof status === 'number' ? status : status[turn], shown);
  if (answer.status < 400) assert.match(answer.text, one.shows ?? /^/, shown);
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly bytes: Uint8Array;
}

/** One request; the answer's text has its headers in front when there is no body. */
export async function send(
  instance: Instance,
  method: string,
  path: string,
  body?: { readonly bytes: string | Uint8Array; readonly type: string },
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const headers =
    body === undefined ? {} : { 'content-type': body.type, 'content-length': Buffer.byteLength(body.bytes) };
  const sent = request({ socketPath: instance.paths.dockerSocket, method, path, headers, agent: false }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    response.on('end', () => {
      const bytes = Buffer.concat(chunks);
      const text = bytes.length === 0 ? JSON.stringify(response.headers) : bytes.toString();
      resolve({ status: response.statusCode ?? 0, text, bytes });
    });
  });
  sent.on('error', reject);
  sent.end(body?.bytes);
  return promise;
}
