import type { Logger } from '#base/logger.ts';

import type { InstancePaths } from './instance-paths.ts';

export interface Health {
  readonly state: 'healthy' | 'degraded';
  /** What it serves when healthy, what is wrong and the way out when not. */
  readonly message: string;
}

/** What every plane is given. */
export interface Scope {
  readonly paths: InstancePaths;
  /** With `component` bound to the plane's name. */
  readonly logger: Logger;
  /** Aborts when the start is given up. */
  readonly signal: AbortSignal;
}

export interface Running<Gives> extends AsyncDisposable {
  readonly gives: Gives;
  /** Rejects when the plane dies; never resolves before it is disposed. */
  readonly done: Promise<void>;
  health(): Health;
}

/** A part of the program that runs as long as it does; planes meet only in boot.ts, which hands over what each needs. */
export interface Plane<Config, Needs, Gives> {
  readonly name: string;
  start(config: Config, needs: Needs, scope: Scope): Promise<Running<Gives>>;
}
