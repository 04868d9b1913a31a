import type { Engine } from '#engine/engine.ts';

import type { Uploads } from '../../uploads.ts';
import type { ContextStore } from '../files/context-store.ts';
import type { Sessions } from '../session/sessions.ts';

/** What all builds work with. */
export interface SolveTools {
  readonly engine: Engine;
  readonly uploads: Uploads;
  readonly contexts: ContextStore;
  readonly sessions: Sessions;
}
