export type Body = Readonly<Record<string, unknown>>;

/** One difference between the versions of the API: what clients of some versions see otherwise. */
export interface Rule {
  /** Applies to clients that speak at least 1.<since>; without it to all. */
  readonly since?: number;
  /** Applies to clients older than 1.<below>; without it to all. */
  readonly below?: number;
  readonly change: (body: Body) => Body;
}
