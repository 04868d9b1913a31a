import { ApiError } from '#kube/status.ts';

/** Who shares places: node agents and the platform's own parts have theirs, so that nobody can starve them. */
export type FlightClass = 'system' | 'nodes' | 'others';

interface Level {
  readonly most: number;
  running: number;
}

const retryAfterSeconds = 1;

/** Requests that are answered at the same time; upstream's defaults are 400 that read and 200 that write. */
const placesOf: Readonly<Record<FlightClass, Readonly<Record<'read' | 'write', number>>>> = {
  system: { read: 100, write: 100 },
  nodes: { read: 150, write: 100 },
  others: { read: 250, write: 100 },
};

/** Bounds the requests that are answered at the same time; watches and other streams are not counted. */
export class InFlight {
  readonly #levels = new Map<string, Level>();
  #refused = 0;

  /** Requests that were refused since the start. */
  get refused(): number {
    return this.#refused;
  }

  get running(): number {
    return [...this.#levels.values()].reduce((sum, { running }) => sum + running, 0);
  }

  /** Takes a place until it is disposed of. Throws TooManyRequests. */
  enter(flightClass: FlightClass, kind: 'read' | 'write'): Disposable {
    const key = `${flightClass} ${kind}`;
    const level = this.#levels.get(key) ?? { most: placesOf[flightClass][kind], running: 0 };
    this.#levels.set(key, level);
    if (level.running >= level.most) {
      this.#refused += 1;
      throw new ApiError('TooManyRequests', 'Too many requests, please try again later.', { retryAfterSeconds });
    }
    level.running += 1;
    return { [Symbol.dispose]: () => void (level.running -= 1) };
  }
}

export function flightClassOf(groups: readonly string[]): FlightClass {
  if (groups.includes('system:nodes')) return 'nodes';
  return groups.includes('system:masters') ? 'system' : 'others';
}
