import { isAbout } from './inter-pod-affinity.ts';
import { matchesTerm, tolerates } from './node-matching.ts';
import type { NodeInfo } from './node-info.ts';
import { type Score, scoreMost, specOf } from './plugin.ts';
import { countsOf } from './topology-spread.ts';

/** An image of this size or less does not matter, one of that size counts in full (upstream, imagelocality). */
const imageBytes = { least: 23 * 1024 ** 2, most: 1000 * 1024 ** 2 };

/** Nodes with the most room. */
const leastAllocated: Score = {
  name: 'NodeResourcesFit',
  weight: 1,
  prepare: ({ assumed }) => ({
    of: (node) => {
      const shares = ['cpu', 'memory'].map((name) => {
        const [all, wanted] = [
          node.allocatable.get(name) ?? 0,
          (node.assumed.get(name) ?? 0) + (assumed.get(name) ?? 0),
        ];
        return all === 0 || wanted > all ? 0 : Math.floor(((all - wanted) * scoreMost) / all);
      });
      return Math.floor(shares.reduce((sum, share) => sum + share, 0) / shares.length);
    },
  }),
};

/** Nodes whose cpu and memory would be used alike. */
const balancedAllocation: Score = {
  name: 'NodeResourcesBalancedAllocation',
  weight: 1,
  prepare: ({ requests }) => ({
    of: (node) => {
      const shareOf = (name: string): number => {
        const all = node.allocatable.get(name) ?? 0;
        const wanted = (node.requested.get(name) ?? 0) + (requests.get(name) ?? 0);
        return all === 0 ? 1 : Math.min(1, wanted / all);
      };
      const deviation = Math.abs(shareOf('cpu') - shareOf('memory')) / 2;
      return Math.floor((1 - deviation) * scoreMost);
    },
  }),
};

const taintToleration: Score = {
  name: 'TaintToleration',
  weight: 3,
  prepare: (pod) => {
    const { tolerations = [] } = specOf(pod);
    const soft = tolerations.filter(({ effect = '' }) => effect === '' || effect === 'PreferNoSchedule');
    return {
      scale: 'lower',
      of: ({ node }) =>
        (node.spec?.taints ?? []).filter((taint) => taint.effect === 'PreferNoSchedule' && !tolerates(soft, taint))
          .length,
    };
  },
};

const nodeAffinity: Score = {
  name: 'NodeAffinity',
  weight: 2,
  prepare: (pod) => {
    const terms = specOf(pod).affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    if (terms.length === 0) return undefined;
    return {
      scale: 'higher',
      of: ({ node }) =>
        terms.reduce((sum, { weight = 0, preference = {} }) => sum + (matchesTerm(preference, node) ? weight : 0), 0),
    };
  },
};

const topologySpread: Score = {
  name: 'PodTopologySpread',
  weight: 2,
  prepare: (pod, view) => {
    const constraints = (specOf(pod).topologySpreadConstraints ?? []).filter(
      ({ whenUnsatisfiable }) => whenUnsatisfiable === 'ScheduleAnyway',
    );
    if (constraints.length === 0) return undefined;
    const counted = constraints.map((constraint) => ({
      key: constraint.topologyKey ?? '',
      counts: countsOf(constraint, pod, view, constraints),
    }));
    return {
      scale: 'lower',
      of: (node) => counted.reduce((sum, { key, counts }) => sum + (counts.get(node.label(key) ?? '') ?? 0), 0),
    };
  },
};

const interPodAffinity: Score = {
  name: 'InterPodAffinity',
  weight: 2,
  prepare: ({ pod }, view) => {
    const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
    const terms = [
      ...(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => ({ term, sign: 1 })),
      ...(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => ({ term, sign: -1 })),
    ];
    if (terms.length === 0) return undefined;
    const sums = terms.map(({ term: { podAffinityTerm = {}, weight = 0 }, sign }) => {
      const key = podAffinityTerm.topologyKey ?? '';
      const byValue = new Map<string, number>();
      for (const node of view.nodes.values()) {
        const value = node.label(key);
        if (value === undefined) continue;
        for (const other of node.pods.values())
          if (isAbout(podAffinityTerm, pod, other.pod, view))
            byValue.set(value, (byValue.get(value) ?? 0) + sign * weight);
      }
      return { key, byValue };
    });
    return {
      scale: 'higher',
      of: (node) => sums.reduce((sum, { key, byValue }) => sum + (byValue.get(node.label(key) ?? '') ?? 0), 0),
    };
  },
};

const imageLocality: Score = {
  name: 'ImageLocality',
  weight: 1,
  prepare: (pod) => {
    const { containers = [], initContainers = [] } = specOf(pod);
    const names = [...containers, ...initContainers].map(({ image = '' }) => image);
    return {
      of: (node) => {
        const bytes = names.reduce((sum, name) => sum + bytesOf(node, name), 0);
        const most = imageBytes.most * names.length;
        const counted = Math.min(Math.max(bytes, imageBytes.least), most) - imageBytes.least;
        return Math.floor((scoreMost * counted) / (most - imageBytes.least));
      },
    };
  },
};

function bytesOf({ node }: NodeInfo, name: string): number {
  const wanted = /[:@][^/]*$/.test(name) ? name : `${name}:latest`;
  return node.status?.images?.find(({ names = [] }) => names.includes(wanted))?.sizeBytes ?? 0;
}

/** With upstream's default weights. */
export const scores: readonly Score[] = [
  taintToleration,
  nodeAffinity,
  leastAllocated,
  topologySpread,
  interPodAffinity,
  balancedAllocation,
  imageLocality,
];
