import { isDeepStrictEqual } from 'node:util';

import { required } from '#base/assert.ts';
import { ApiError } from '#kube/status.ts';
import type { FlowSchema, PriorityLevelConfiguration } from '#kube/types/gen/flowcontrol-v1.ts';

import type { Attributes } from '../auth/authorizer.ts';
import type { UserInfo } from '../auth/user.ts';
import { defaultLevels, defaultSchemas } from './default-flow-control.ts';
import { matchesSchema } from './matches-schema.ts';
import { PriorityLevel, type Refusal } from './priority-level.ts';

/**
 * Requests that are answered at the same time, which levels share; exempt ones come on top. Upstream's default is 600, for
 * many threads: here more at a time would wait longer for the same one.
 */
const seats = 300;
const retryAfterSeconds = 1;

/** Where a request belongs. */
export interface Flow {
  readonly schema: FlowSchema;
  readonly level: PriorityLevel;
  /** Requests with the same text take turns with others as one. */
  readonly key: string;
  /** Of all flows of this schema and level. */
  readonly counts: Counts;
}

interface Counts {
  dispatched: number;
  readonly refused: Map<Refusal, number>;
}

/** Bounds the requests that are answered at the same time, and shares the seats fairly (API Priority and Fairness). */
export class FlowControl {
  #schemas: readonly FlowSchema[] = [];
  #levels: ReadonlyMap<string, PriorityLevel> = new Map();
  /** Only as long as there are no objects at all. */
  readonly #fallback = new PriorityLevel(required(defaultLevels[1], 'catch-all'));
  /** By user and what is asked for, until the objects change. */
  #flows = new WeakMap<UserInfo, Map<string, Flow>>();
  /** By schema and level. */
  readonly #counts = new Map<string, Counts>();

  constructor() {
    this.configure(defaultSchemas, defaultLevels);
  }

  /** From now on by these objects; what runs or waits goes on where it is. */
  configure(schemas: readonly FlowSchema[], levels: readonly PriorityLevelConfiguration[]): void {
    const before = this.#levels;
    this.#flows = new WeakMap();
    const kept = (one: PriorityLevelConfiguration): PriorityLevel => {
      const known = before.get(one.metadata.name ?? '');
      return known !== undefined && isDeepStrictEqual(known.configuration, one) ? known : new PriorityLevel(one);
    };
    this.#levels = new Map(levels.map((one) => [one.metadata.name ?? '', kept(one)]));
    const shares = [...this.#levels.values()].reduce((sum, level) => sum + level.shares, 0);
    for (const level of this.#levels.values())
      level.nominalSeats = shares === 0 ? 0 : Math.ceil((seats * level.shares) / shares);
    this.#schemas = schemas
      .filter(({ spec }) => this.#levels.has(spec?.priorityLevelConfiguration?.name ?? ''))
      .toSorted(byPrecedence);
    // Nobody is left behind in queues that no longer count.
    for (const [name, level] of before) if (this.#levels.get(name) !== level) while (level.dispatch());
  }

  flowOf(request: Attributes): Flow {
    const ofUser = this.#flows.get(request.user) ?? new Map<string, Flow>();
    const key =
      request.type === 'path'
        ? `${request.verb} ${request.path}`
        : `${request.verb} ${request.group}/${request.resource}/${request.subresource} ${request.namespace}`;
    const known = ofUser.get(key);
    if (known !== undefined) return known;
    const flow = this.#findFlow(request);
    if (ofUser.size >= flowsOfUserMost) ofUser.clear();
    this.#flows.set(request.user, ofUser.set(key, flow));
    return flow;
  }

  #findFlow(request: Attributes): Flow {
    const schema =
      this.#schemas.find((one) => matchesSchema(one, request)) ?? required(defaultSchemas.at(-1), 'catch-all');
    const level = this.#levels.get(schema.spec?.priorityLevelConfiguration?.name ?? '') ?? this.#fallback;
    const type = schema.spec?.distinguisherMethod?.type;
    const namespace = request.type === 'resource' ? request.namespace : '';
    const distinguisher = type === 'ByUser' ? request.user.name : type === 'ByNamespace' ? namespace : '';
    return {
      schema,
      level,
      key: `${schema.metadata.name ?? ''}/${distinguisher}`,
      counts: this.#countsOf(schema, level),
    };
  }

  /** Takes a seat until it is disposed of; waits for one when it must. Throws TooManyRequests. */
  async enter(flow: Flow, signal: AbortSignal): Promise<Disposable> {
    const { level, key, counts } = flow;
    const refuse = (refusal: Refusal): Error => {
      counts.refused.set(refusal, (counts.refused.get(refusal) ?? 0) + 1);
      return new ApiError('TooManyRequests', 'Too many requests, please try again later.', { retryAfterSeconds });
    };
    const isFree = level.isExempt || (level.waiting === 0 && this.#hasSeat(level));
    const place = isFree ? level.begin() : await level.wait(key, refuse, signal);
    counts.dispatched += 1;
    return {
      [Symbol.dispose]: () => {
        place[Symbol.dispose]();
        this.#dispatch(level);
      },
    };
  }

  /** Lines for `/metrics`, by upstream's names. */
  metrics(): readonly string[] {
    const prefix = 'apiserver_flowcontrol';
    const levels = [...this.#levels.values()];
    const gauge = (name: string, of: (level: PriorityLevel) => number): readonly string[] => [
      `# TYPE ${prefix}_${name} gauge`,
      ...levels.map((level) => `${prefix}_${name}{priority_level="${level.name}"} ${String(of(level))}`),
    ];
    const counts = [...this.#counts];
    return [
      ...gauge('nominal_limit_seats', (level) => level.nominalSeats),
      ...gauge('current_executing_seats', (level) => level.running),
      ...gauge('current_inqueue_seats', (level) => level.waiting),
      `# TYPE ${prefix}_dispatched_requests_total counter`,
      ...counts.map(([key, { dispatched }]) => `${prefix}_dispatched_requests_total{${key}} ${String(dispatched)}`),
      `# TYPE ${prefix}_rejected_requests_total counter`,
      ...counts.flatMap(([key, { refused }]) =>
        [...refused].map(
          ([reason, count]) => `${prefix}_rejected_requests_total{${key},reason="${reason}"} ${String(count)}`,
        ),
      ),
    ];
  }

  /** Requests that are being answered. */
  get running(): number {
    return [...this.#levels.values()].reduce((sum, { running }) => sum + running, 0);
  }

  #dispatch(freed: PriorityLevel): void {
    // First where the seat came from; what is left may be lent.
    for (const level of [freed, ...this.#levels.values()])
      while (level.waiting > 0 && this.#hasSeat(level) && level.dispatch());
  }

  /** A seat of its own, which nobody can take from it; or one that others have idle and lend. */
  #hasSeat(level: PriorityLevel): boolean {
    const own = level.nominalSeats;
    if (level.running < own) return true;
    const { borrowingPercent } = level;
    if (borrowingPercent !== undefined && level.running >= own + Math.ceil((own * borrowingPercent) / 100))
      return false;
    let lent = 0;
    for (const other of this.#levels.values()) {
      const nominal = other.nominalSeats;
      const idle = Math.max(0, nominal - other.running);
      if (other !== level) lent += Math.min(idle, Math.floor((nominal * other.lendablePercent) / 100));
      lent -= other.isExempt ? 0 : Math.max(0, other.running - nominal);
    }
    return lent > 0;
  }

  #countsOf(schema: FlowSchema, level: PriorityLevel): Counts {
    const key = `flow_schema="${schema.metadata.name ?? ''}",priority_level="${level.name}"`;
    const counts = this.#counts.get(key) ?? { dispatched: 0, refused: new Map() };
    if (this.#counts.size >= countsMost && !this.#counts.has(key)) {
      this.#counts.clear();
      this.#flows = new WeakMap();
    }
    this.#counts.set(key, counts);
    return counts;
  }
}

/** Pairs of schema and level that are counted. */
const countsMost = 1000;
/** What a user asks for again and again. */
const flowsOfUserMost = 64;

function byPrecedence(one: FlowSchema, other: FlowSchema): number {
  const order = (one.spec?.matchingPrecedence ?? 0) - (other.spec?.matchingPrecedence ?? 0);
  if (order !== 0) return order;
  return (one.metadata.name ?? '') < (other.metadata.name ?? '') ? -1 : 1;
}
