import { nowNs } from '#base/clock.ts';
import { type Client, kindOf } from '#kube/client/client.ts';
import { event } from '#kube/kinds/core/event.ts';
import type { Resource } from '#kube/resource.ts';
import type { Event } from '#kube/types/gen/core-v1.ts';

export const events = kindOf<Event>(event);

export interface EventText {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** Tells of an object what a controller did or found. That it cannot be told keeps nobody from working. */
export async function recordEvent(
  client: Client,
  component: string,
  about: Resource,
  { type, reason, message }: EventText,
  nowMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { name = '', namespace = 'default', uid, resourceVersion } = about.metadata;
  const time = timeText(nowMs);
  const made: Event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${nowNs().toString(16)}`, namespace: namespace === '' ? 'default' : namespace },
    involvedObject: {
      apiVersion: about.apiVersion,
      kind: about.kind,
      name,
      ...(about.metadata.namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    type,
    reason,
    message: message.slice(0, 1024),
    source: { component },
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
    reportingComponent: component,
  };
  await client.create(events, made, {}, signal).catch((error: unknown) => {
    if (signal.aborted) throw error;
  });
}

/** As times are in objects: whole seconds. */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
