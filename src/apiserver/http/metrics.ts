import { textReply, type BodyReply } from './call.ts';

/** Upper bounds in seconds, those of upstream's histogram that tell something here. */
const buckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 5, 10, 30, 60];

interface Series {
  readonly labels: string;
  count: number;
  sum: number;
  readonly within: number[];
}

/** Counts of requests, for `/metrics` (Prometheus text format 0.0.4). */
export class RequestMetrics {
  readonly #series = new Map<string, Series>();

  /** One request that was answered. Streams count once, without their time. */
  observe(verb: string, resource: string, code: number, seconds: number | undefined): void {
    const series = this.#seriesOf(verb, resource, code);
    series.count += 1;
    if (seconds === undefined) return;
    series.sum += seconds;
    const index = buckets.findIndex((bound) => seconds <= bound);
    if (index >= 0) series.within[index] = (series.within[index] ?? 0) + 1;
  }

  #seriesOf(verb: string, resource: string, code: number): Series {
    const key = `${verb} ${resource} ${String(code)}`;
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const labels = `verb="${label(verb)}",resource="${label(resource)}",code="${String(code)}"`;
    const series = { labels, count: 0, sum: 0, within: buckets.map(() => 0) };
    this.#series.set(key, series);
    return series;
  }

  /** `more`: lines of others. */
  reply(gauges: Readonly<Record<string, number>>, more: readonly string[]): BodyReply {
    const lines = ['# TYPE apiserver_request_total counter'];
    for (const { labels, count } of this.#series.values())
      lines.push(`apiserver_request_total{${labels}} ${String(count)}`);
    lines.push('# TYPE apiserver_request_duration_seconds histogram');
    for (const series of this.#series.values()) lines.push(...histogram(series));
    for (const [name, value] of Object.entries(gauges)) lines.push(`# TYPE ${name} gauge`, `${name} ${String(value)}`);
    lines.push(...more);
    return { ...textReply(`${lines.join('\n')}\n`), contentType: 'text/plain; version=0.0.4; charset=utf-8' };
  }
}

function histogram({ labels, count, sum, within }: Series): readonly string[] {
  let below = 0;
  const name = 'apiserver_request_duration_seconds';
  const rows = buckets.map((bound, index) => {
    below += within[index] ?? 0;
    return `${name}_bucket{${labels},le="${String(bound)}"} ${String(below)}`;
  });
  return [
    ...rows,
    `${name}_bucket{${labels},le="+Inf"} ${String(count)}`,
    `${name}_sum{${labels}} ${String(sum)}`,
    `${name}_count{${labels}} ${String(count)}`,
  ];
}

function label(text: string): string {
  return text.replaceAll(/["\\\n]/g, '_').slice(0, 64);
}
