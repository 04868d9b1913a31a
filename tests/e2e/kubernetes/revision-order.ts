import assert from 'node:assert/strict';

/** Resource versions as clients saw them: what is written in one life of the server is above all of its earlier lives. */
export class RevisionOrder {
  #earlier = 0n;
  #highest = 0n;

  /** Notes a version that was given in this life. */
  gave(resourceVersion: string | undefined): void {
    const revision = BigInt(resourceVersion ?? assert.fail('no resource version'));
    assert.ok(revision > this.#earlier, `${String(revision)} was given after ${String(this.#earlier)}`);
    this.saw(resourceVersion);
  }

  /** Notes a version that was read, which may be of an earlier life. */
  saw(resourceVersion: string | undefined): void {
    const revision = BigInt(resourceVersion ?? assert.fail('no resource version'));
    if (revision > this.#highest) this.#highest = revision;
  }

  /** What comes from now on is above all that was seen. */
  endRound(): void {
    this.#earlier = this.#highest;
  }
}
