import { createHash } from 'node:crypto';

/**
 * The queues that a flow may wait in, always the same ones: two flows share all of theirs only by a rare chance, so that a
 * greedy one leaves the others a queue (shuffle sharding; apiserver, util/shufflesharding).
 */
export function dealHand(flow: string, queues: number, handSize: number): readonly number[] {
  // 53 bits are exact in JavaScript, and enough for hands of 6 out of 128.
  let left = Number(createHash('sha256').update(flow).digest().readBigUInt64BE() >> 11n);
  const hand: number[] = [];
  for (let dealt = 0; dealt < Math.min(handSize, queues); dealt += 1) {
    let card = left % (queues - dealt);
    left = Math.floor(left / (queues - dealt));
    for (const before of hand.toSorted((one, other) => one - other)) if (card >= before) card += 1;
    hand.push(card);
  }
  return hand;
}
