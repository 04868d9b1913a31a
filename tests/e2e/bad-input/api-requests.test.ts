import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import * as fc from 'fast-check';

import { deadline, nowMs } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import { clientCertificate } from '#pki/certificates.ts';
import { openClusterPki } from '#pki/cluster-pki.ts';

import { startInstance, type Instance } from '../../kit/instance.ts';
import { requestText, type ApiRequest } from '../../kit/kube-requests/api-request.ts';
import { HttpsClient, type HttpsAnswer } from '../../kit/kube-requests/https-client.ts';
import { mutatedRequest } from '../../kit/kube-requests/mutated-request.ts';
import { validRequests, widgetDefinition } from '../../kit/kube-requests/valid-requests.ts';

const mutations = 1000;
const rounds = Number(process.env['SLIPWAY_MUTATION_ROUNDS'] ?? 3);
/** Nothing here takes a tenth of it, also on a busy machine; whatever hangs does. */
const answerTimeoutMs = 120_000;
/** Resident memory that later rounds may add to the first one: each kind's history of 8 MiB fills, and V8 takes its time. */
const growthMost = 128 * 1024 * 1024;
const namespace = 'mutated';
const atOnce = 8;

describe('what is wrong with requests', () => {
  let instance: Instance;
  let client: HttpsClient;
  const ends: (() => Promise<void> | void)[] = [];
  after(async () => {
    for (const end of ends.toReversed()) await end();
  });
  before(async () => {
    instance = await startInstance(
      { after: (work) => void ends.push(work) },
      { settings: ['engine.addressPools=10.211.0.0/16:24'] },
    );
    const pki = await openClusterPki(instance.paths.pki, nowMs());
    const pair = pki.issue(clientCertificate('fuzzer', ['system:masters']), nowMs());
    const url = /server: "([^"]+)"/.exec(readFileSync(instance.paths.kubeconfig, 'utf8'))?.[1] ?? '';
    client = new HttpsClient({ url, ca: pki.authorityPem, ...pair });
    ends.push(() => client[Symbol.dispose]());
    await must('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
    await must('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', widgetDefinition);
  });

  const send = async (protocol: 'h1' | 'h2', request: ApiRequest): Promise<HttpsAnswer> =>
    await client.send(protocol, request, deadline(answerTimeoutMs));

  const must = async (method: string, target: string, object?: object): Promise<string> => {
    const body = object === undefined ? undefined : Buffer.from(JSON.stringify(object));
    const request = { method, target, headers: { 'content-type': 'application/json' }, body };
    const { status, text } = await send('h2', request);
    assert.ok(status < 300, `${method} ${target}: ${String(status)} ${text}`);
    return text;
  };

  test(`${String(rounds)} rounds of ${String(mutations)} mutations are answered without a defect`, async (context) => {
    const requests = mutatedRequest(validRequests(namespace));
    const seed = Number(process.env['SLIPWAY_MUTATION_SEED'] ?? nowMs() % 2 ** 31);
    context.diagnostic(`seed ${String(seed)} (SLIPWAY_MUTATION_SEED)`);
    const resident: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const list = fc.sample(fc.tuple(requests, fc.constantFrom('h1', 'h2')), {
        numRuns: mutations,
        seed: seed + round,
      });
      const faults = (await Promise.all(Array.from({ length: atOnce }, () => answered(list)))).flat();
      assert.deepEqual(faults.slice(0, 5), []);
      resident.push(residentBytes(instance.pid));
    }
    context.diagnostic(`resident after each round: ${resident.map((one) => `${String(one >> 20)} MiB`).join(', ')}`);
    assert.ok((resident.at(-1) ?? 0) - (resident[0] ?? 0) < growthMost, `memory grows: ${resident.join(' ')}`);
    assert.doesNotMatch(readFileSync(instance.paths.logFile, 'utf8'), /request failed by a defect/);
    await stillServes();
  });

  /** What was wrong with answers; takes requests off the list, which others work on as well. */
  async function answered(list: [ApiRequest, 'h1' | 'h2'][]): Promise<readonly string[]> {
    const faults: string[] = [];
    for (let next = list.pop(); next !== undefined; next = list.pop()) {
      const [request, protocol] = next;
      try {
        const { status, text } = await send(protocol, request);
        if (!isFine(status, text))
          faults.push(`${String(status)} ${text.slice(0, 500)} to ${protocol} ${requestText(request)}`);
      } catch (error) {
        faults.push(`${messageOf(error)} instead of an answer to ${protocol} ${requestText(request)}`);
      }
    }
    return faults;
  }

  test('a body that is too large is told so, and warnings are in UTF-8', async () => {
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const headers = { 'content-type': 'application/json' };
    for (const protocol of ['h1', 'h2'] as const) {
      const large = { method: 'POST', target: path, headers, body: Buffer.alloc(3 * 1024 * 1024 + 1, ' ') };
      const answer = await send(protocol, large);
      assert.equal(answer.status, 413);
      assert.match(answer.text, /Request entity too large: limit is 3145728/);
      const early = await send(protocol, { ...large, target: `${path}?dryRun=some` });
      assert.equal(early.status, 422);
      const odd = Buffer.from(JSON.stringify({ metadata: { name: protocol }, '\u00fcber\ud83d\ude00': 1 }));
      const warned = await send(protocol, { ...large, body: odd });
      assert.equal(warned.status, 201);
      const warning = Buffer.from(String(warned.headers['warning']), 'latin1').toString();
      assert.equal(warning, '299 - "unknown field \\"\u00fcber\ud83d\ude00\\""');
    }
  });

  async function stillServes(): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    await must('POST', path, { metadata: { name: 'last' }, data: { a: 'b' } });
    assert.match(await must('GET', `${path}/last`), /"data":\{"a":"b"\}/);
    await must('DELETE', `${path}/last`);
  }
});

/** 503 and 504 are said where upstream says them: no agent on a node, a revision that is still to come. */
function isFine(status: number, text: string): boolean {
  if (status === 500) return text.includes('failed calling webhook');
  return (status >= 200 && status < 500) || status === 501 || status === 503 || status === 504;
}

function residentBytes(pid: number): number {
  const [, kib = '0'] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}
