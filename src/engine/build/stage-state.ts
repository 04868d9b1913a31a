import { createHash } from 'node:crypto';

import type { Digest, HistoryEntry, ImageDefaults, Platform } from '#formats/oci.ts';
import type { Image } from '../images/images.ts';
import type { Layer } from '../snapshots/snapshots.ts';
import { type ArgScope, setEnv, splitEnv } from './variables.ts';

/** Everything that a stage is after some of its instructions; a value, each instruction makes the next one. */
export interface StageState {
  /** ChainID of the topmost layer; undefined while there is none. */
  readonly layer: Digest | undefined;
  readonly diffIds: readonly Digest[];
  readonly platform: Platform;
  readonly defaults: ImageDefaults;
  readonly author: string | undefined;
  /** Entries without `created` get the image's. */
  readonly history: readonly HistoryEntry[];
  readonly args: ArgScope;
  /** CMD was set in this very stage, so that ENTRYPOINT does not take it away. */
  readonly hasOwnCommand: boolean;
}

/** What PATH is where the image has none (BuildKit's and Docker's default for Linux). */
const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The comment of entries that BuildKit's front end makes, by which tools tell its history from the old builder's. */
const historyComment = 'buildkit.dockerfile.v0';

export function scratchState(platform: Platform): StageState {
  return {
    layer: undefined,
    diffIds: [],
    platform,
    defaults: { Env: [`PATH=${defaultPath}`], WorkingDir: '/' },
    author: undefined,
    history: [],
    args: new Map(),
    hasOwnCommand: false,
  };
}

/** A stage that begins with an image. Its triggers are not its own any more: `triggersOf` has them. */
export function stateOfImage({ config, topLayer }: Image): StageState {
  const { OnBuild: _, ...defaults } = config.config ?? {};
  const env = defaults.Env ?? [];
  const hasPath = env.some((entry) => splitEnv(entry).name === 'PATH');
  const { os, architecture, variant } = config;
  return {
    layer: topLayer,
    diffIds: config.rootfs.diff_ids,
    platform: { os, architecture, ...(variant === undefined ? {} : { variant }) },
    defaults: { ...defaults, Env: hasPath ? env : setEnv(env, 'PATH', defaultPath) },
    author: config.author,
    history: completeHistory(config.history ?? [], config.rootfs.diff_ids.length),
    args: new Map(),
    hasOwnCommand: false,
  };
}

/** A stage that begins with another one: its arguments stay visible, its triggers do not carry over. */
export function stateOfStage(base: StageState): StageState {
  const { OnBuild: _, ...defaults } = base.defaults;
  return { ...base, defaults, hasOwnCommand: false };
}

/** The state with a line of history for an instruction that changed no file. */
export function withHistory(state: StageState, createdBy: string): StageState {
  const entry: HistoryEntry = { created_by: createdBy, comment: historyComment, empty_layer: true };
  return { ...state, history: [...state.history, entry] };
}

/** The state on top of a new layer. */
export function withLayer(state: StageState, layer: Layer, createdBy: string, createdAtMs: number): StageState {
  const entry: HistoryEntry = {
    created: new Date(createdAtMs).toISOString(),
    created_by: createdBy,
    comment: historyComment,
  };
  return {
    ...state,
    layer: layer.chainId,
    diffIds: [...state.diffIds, layer.diffId],
    history: [...state.history, entry],
  };
}

/** 12 digits that name the state, as the old builder's intermediate images did. */
export function stateId({ layer, defaults, history, author }: StageState): string {
  const text = JSON.stringify([layer, defaults, author, history.length]);
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** Images made by import have layers without history: clients expect one entry that is not empty for each. */
function completeHistory(history: readonly HistoryEntry[], layers: number): readonly HistoryEntry[] {
  const known = history.filter((entry) => entry.empty_layer !== true).length;
  const missing = Array.from({ length: Math.max(0, layers - known) }, (): HistoryEntry => ({ comment: 'imported' }));
  return [...missing, ...history];
}
