// A small build of two stages, by docker buildx and (ours) by the classic endpoint, beside dockerd's BuildKit, in turns: cold
// (--no-cache) and warm (nothing has changed). `node bench/build.ts [--rounds N] [--record]`; --record appends a line to
// bench/results.jsonl.
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { deadline, monotonicMs, nowMs, sleep } from '#base/clock.ts';

import { type Contender, openDockerd, openSlipway } from './contender.ts';
import { median, medianAndMinimum } from './statistics.ts';

const hourMs = 3_600_000;
/** What a daemon does after its client has left counts too. */
const settleMs = 300;

const dockerfile = `FROM busybox AS build
WORKDIR /src
COPY . .
RUN sh -c 'cat *.txt | sort > out'
FROM busybox
COPY --from=build /src/out /out
ENV A=b
LABEL made=here
CMD ["cat", "/out"]
`;

interface Row {
  readonly name: string;
  readonly contender: Contender;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly wallMs: number[];
  readonly cpuMs: number[];
}

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '10' }, record: { type: 'boolean', default: false } },
});
const rounds = Number(values.rounds);
const limit = deadline(hourMs);

const folder = mkdtempSync('/tmp/sw-');
using _ = { [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
writeFileSync(join(folder, 'Dockerfile'), dockerfile);
for (let file = 0; file < 50; file += 1)
  writeFileSync(join(folder, `${String(file)}.txt`), `${String(file)}\n`.repeat(500));

await using ours = await openSlipway();
await using peer = await openDockerd('newest');
const rows = ['cold', 'warm'].flatMap((how) => [
  rowOf(`${how}, slipway, buildx`, ours, how, '1'),
  rowOf(`${how}, slipway, classic`, ours, how, '0'),
  rowOf(`${how}, dockerd, buildx`, peer, how, '1'),
]);
for (let round = -1; round < rounds; round += 1) for (const row of rows) await measure(row, round >= 0);
report();

function rowOf(name: string, contender: Contender, how: string, buildKit: string): Row {
  const door = buildKit === '1' ? ['buildx', 'build', '--provenance=false'] : ['build'];
  const args = [...door, ...(how === 'cold' ? ['--no-cache'] : []), '-q', '-t', 'bench', folder];
  return { name, contender, args, env: { DOCKER_BUILDKIT: buildKit, BUILDX_GIT_INFO: '0' }, wallMs: [], cpuMs: [] };
}

async function measure({ contender, args, env, wallMs, cpuMs }: Row, counts: boolean): Promise<void> {
  const usedMs = contender.cpu.usedMs();
  const startMs = monotonicMs();
  await contender.docker(args, { env });
  const tookMs = monotonicMs() - startMs;
  await sleep(settleMs, limit);
  if (!counts) return;
  wallMs.push(tookMs);
  cpuMs.push(contender.cpu.usedMs() - usedMs);
}

function report(): void {
  console.log(`a build of two stages: ${String(rounds)} rounds in turns, median (minimum) in ms`);
  for (const { name, wallMs, cpuMs } of rows)
    console.log(`${name.padEnd(22)} wall ${medianAndMinimum(wallMs)}, CPU ${medianAndMinimum(cpuMs)}`);
  const ratio: Record<string, { wall: number; cpu: number }> = {};
  for (const how of ['cold', 'warm']) {
    const theirs = rows.find(({ name }) => name === `${how}, dockerd, buildx`);
    for (const row of rows.filter(({ name }) => name.startsWith(`${how}, slipway`))) {
      const [wall, cpu] = [share(row.wallMs, theirs?.wallMs), share(row.cpuMs, theirs?.cpuMs)];
      ratio[row.name] = { wall, cpu };
      console.log(`${row.name} is ${String(wall)} of dockerd by buildx in wall time, ${String(cpu)} in CPU time`);
    }
  }
  if (!values.record) return;
  const machine = { kernel: release(), cpus: availableParallelism(), load: loadavg()[0] };
  const numbers = rows.map(({ name, wallMs, cpuMs }) => ({ name, wallMs: median(wallMs), cpuMs: median(cpuMs) }));
  const line = { bench: 'build', time: new Date(nowMs()).toISOString(), rounds, numbers, ratio, machine };
  appendFileSync(join(import.meta.dirname, 'results.jsonl'), `${JSON.stringify(line)}\n`);
}

function share(one: readonly number[], other: readonly number[] = []): number {
  return Math.round((median(one) / median(other)) * 1000) / 1000;
}
