export type EventType = 'container' | 'image' | 'network' | 'volume' | 'builder' | 'daemon';

/** Something that happened in the engine; the names of actions and attributes are Docker's. */
export interface EngineEvent {
  readonly type: EventType;
  /** Docker's word: `create`, `start`, `die`, `exec_start: sh`, `pull`, `connect`, ... */
  readonly action: string;
  /** The object's ID or name, as Docker's `Actor.ID`. */
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Nanoseconds since the epoch. */
  readonly timeNs: bigint;
}

export interface EventSubscription {
  /** Replay what is remembered from this time on, nanoseconds since the epoch. */
  readonly sinceNs?: bigint;
  /** End the iteration at this time; may lie in the past for a replay only. */
  readonly untilNs?: bigint;
}

/** The engine's recent past (the last 1,024 events, in memory) and its live stream. */
export interface EventLog {
  publish(type: EventType, action: string, id: string, attributes?: Readonly<Record<string, string>>): void;
  /** Ends when the signal aborts or `untilNs` is reached; a subscriber that falls too far behind gets an error. */
  subscribe(subscription: EventSubscription, signal: AbortSignal): AsyncIterable<EngineEvent>;
}
