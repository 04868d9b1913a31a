/** Which steps of a program were come by; emptied without touching them. */
export class SeenSteps {
  readonly #rounds: Uint32Array;
  #round = 0;

  constructor(count: number) {
    this.#rounds = new Uint32Array(count);
  }

  clear(): void {
    this.#round += 1;
  }

  /** False when it is there already. */
  add(step: number): boolean {
    if (this.#rounds[step] === this.#round) return false;
    this.#rounds[step] = this.#round;
    return true;
  }
}
