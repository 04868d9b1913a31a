import type { Objects, ResourceName } from '../objects.ts';
import { graphSources, type NodeGraph } from './node-graph.ts';

/** Keeps the graph as the store is, until the signal aborts; resolves when all that was there is in it. */
export async function followGraph(
  objects: Objects,
  graph: NodeGraph,
  onEnd: (error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  const follow = async (of: ResourceName, onSynced: () => void): Promise<void> => {
    for await (const { type, object } of objects.follow(of, signal)) {
      if (type === 'synced') onSynced();
      else if (object !== undefined) graph[type](of, object);
    }
  };
  await Promise.all(
    graphSources.map(
      (of) =>
        new Promise<void>((resolve) => {
          follow(of, resolve)
            .catch((error: unknown) => (signal.aborted ? undefined : onEnd(error)))
            .finally(resolve);
        }),
    ),
  );
}
