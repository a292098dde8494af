import type { Users } from './spec.ts';

export type Random = () => number;

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Gives the number of the next user. */
export function chooser({ kind, count, every = 1 }: Users, random: Random): () => number {
  if (kind === 'hot') return () => 1;
  if (kind === 'uniform') return () => 1 + every * Math.floor(random() * count);
  const sums = new Float64Array(count);
  let sum = 0;
  for (let n = 0; n < count; n += 1) {
    sum += 1 / (n + 1);
    sums[n] = sum;
  }
  return () => 1 + every * lowerBound(sums, random() * sum);
}

function lowerBound(sums: Float64Array, wanted: number): number {
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sums[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
