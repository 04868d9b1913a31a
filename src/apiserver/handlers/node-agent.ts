import type { Writable } from 'node:stream';

import type { Resource } from '#kube/resource.ts';
import { ApiError } from '#kube/status.ts';

import type { Exchange } from '../http/exchange.ts';

export interface LogOptions {
  readonly container: string;
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly sinceSeconds: number | undefined;
  readonly sinceTime: string | undefined;
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
}

/** A connection that is taken over from HTTP: exec, attach, port-forward. */
export interface Takeover {
  readonly kind: 'exec' | 'attach' | 'portforward';
  readonly pod: Resource;
  readonly query: URLSearchParams;
  readonly headers: Exchange['headers'];
}

/** What only the node of a pod can do; the agent implements it. */
export interface NodeAgent {
  /** Gives what writes what a container printed. Throws ApiError when there is nothing of it. */
  log(pod: Resource, options: LogOptions): (out: Writable, signal: AbortSignal) => Promise<void>;
  /**
   * Gives what speaks with the client over its connection until both are done, and begins with the head of the answer.
   * Throws ApiError for what cannot be done.
   */
  takeOver(takeover: Takeover): (upgrade: NonNullable<Exchange['upgrade']>, signal: AbortSignal) => Promise<void>;
  /** Passes a request on to a port of a pod or node, and its answer back. */
  proxy(target: Resource, port: string, path: string, exchange: Exchange, signal: AbortSignal): Promise<void>;
}

/** Throws ServiceUnavailable while there is none. */
export function agentOf(agent: NodeAgent | undefined, what: string): NodeAgent {
  if (agent !== undefined) return agent;
  throw new ApiError('ServiceUnavailable', `Cannot reach ${what}: no node agent is connected to this API server`);
}
