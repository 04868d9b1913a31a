import { filters } from './filters.ts';
import type { NodeInfo, PodInfo } from './node-info.ts';
import { type ClusterView, type NodeFilter, PodRefusal, type Refusal, scoreMost } from './plugin.ts';
import { scores } from './scores.ts';

export type Choice =
  | { readonly node: string }
  /** Why there is none, as upstream's event and condition say it. */
  | { readonly message: string };

/** The node where a pod is to run. Pure: `random` decides between nodes that are equally good. */
export function chooseNode(pod: PodInfo, view: ClusterView, random: (below: number) => number): Choice {
  if (view.nodes.size === 0) return { message: 'no nodes available to schedule pods' };
  let prepared: readonly NodeFilter[];
  try {
    prepared = filters.flatMap((filter) => filter.prepare(pod, view) ?? []);
  } catch (error) {
    if (!(error instanceof PodRefusal)) throw error;
    return { message: messageOf(view.nodes.size, new Map([[error.message, view.nodes.size]]), true) };
  }
  const possible: NodeInfo[] = [];
  const reasons = new Map<string, number>();
  let isHopeless = true;
  for (const node of view.nodes.values()) {
    const refusals = refusalsOf(node, prepared);
    if (refusals === undefined) possible.push(node);
    else {
      if (!refusals.some(({ isFinal }) => isFinal)) isHopeless = false;
      for (const { reason } of refusals) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
  }
  if (possible.length > 0) return { node: bestOf(possible, pod, view, random).name };
  return { message: messageOf(view.nodes.size, reasons, isHopeless) };
}

function refusalsOf(node: NodeInfo, prepared: readonly NodeFilter[]): readonly Refusal[] | undefined {
  for (const filter of prepared) {
    const refusals = filter(node);
    if (refusals !== undefined) return refusals;
  }
  return undefined;
}

/** Reasons with how many nodes have them, in the order of their texts (upstream, FitError). */
function messageOf(nodes: number, reasons: ReadonlyMap<string, number>, isHopeless: boolean): string {
  const parts = [...reasons].map(([reason, count]) => `${String(count)} ${reason}`).toSorted();
  const start = `0/${String(nodes)} nodes are available:`;
  const preemption = isHopeless
    ? 'Preemption is not helpful for scheduling.'
    : 'No preemption victims found for incoming pod.';
  return `${start} ${parts.join(', ')}. preemption: ${start} ${String(nodes)} ${preemption}`;
}

function bestOf(
  possible: readonly NodeInfo[],
  pod: PodInfo,
  view: ClusterView,
  random: (below: number) => number,
): NodeInfo {
  const totals = new Map(possible.map((node) => [node, 0]));
  if (possible.length > 1)
    for (const one of scores) {
      const score = one.prepare(pod, view);
      if (score === undefined) continue;
      const values = possible.map((node) => score.of(node));
      const scaled = scaledValues(values, score.scale);
      possible.forEach((node, index) => totals.set(node, (totals.get(node) ?? 0) + one.weight * (scaled[index] ?? 0)));
    }
  const highest = Math.max(...totals.values());
  const best = possible.filter((node) => totals.get(node) === highest);
  return best[random(best.length)] ?? (possible[0] as NodeInfo);
}

/** To 0..100: in proportion to the spread between the lowest and the highest. */
function scaledValues(values: readonly number[], scale: 'higher' | 'lower' | undefined): readonly number[] {
  if (scale === undefined) return values;
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (most === least) return values.map(() => (scale === 'lower' ? scoreMost : 0));
  return values.map((value) => {
    const share = Math.floor(((value - least) * scoreMost) / (most - least));
    return scale === 'higher' ? share : scoreMost - share;
  });
}
