export interface ProbeResult {
  readonly ok: boolean;
  /** What it said, for events. */
  readonly message: string;
}
