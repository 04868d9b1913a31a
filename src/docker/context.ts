import type { Logger } from '#base/logger.ts';
import type { Engine } from '#engine/engine.ts';

import type { Uploads } from './uploads.ts';

export interface VersionInfo {
  /** Slipway's own version, such as `0.1.0`. */
  readonly version: string;
  readonly gitCommit?: string;
  /** ISO 8601. */
  readonly buildTime?: string;
}

/** What the endpoints work with. */
export interface Context {
  readonly engine: Engine;
  readonly logger: Logger;
  readonly versionInfo: VersionInfo;
  readonly uploads: Uploads;
}
