/** What the daemon acknowledged, and so must keep; what a kill cut off may have happened or not, and is left out. */
export class Ledger {
  /** Containers by name, and how they end. */
  readonly exits = new Map<string, { readonly code: number; readonly line: string }>();
  readonly networks = new Set<string>();
  /** Volumes by name, and what was written into them. */
  readonly volumes = new Map<string, string>();
  /** Images by name, and what they print. */
  readonly images = new Map<string, string>();
  readonly removed = { containers: new Set<string>(), networks: new Set<string>(), volumes: new Set<string>() };
  acknowledged = 0;
  cut = 0;
}
