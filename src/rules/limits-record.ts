import type { Limits, Period } from './types.ts';

/** Limits as people write them: `3/day`, `100/week`, `90s`, `lesson_id`; what is absent has no limit. */
export interface LimitsRecord {
  awards?: string;
  points?: string;
  cooldown?: string;
  oncePer?: string;
}

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof UNITS;

export const NO_LIMITS: Limits = { awards: null, points: null, cooldown: null, oncePer: null };

/** Reads limits of the right form. */
export function readLimits({ awards, points, cooldown, oncePer }: LimitsRecord): Limits {
  return {
    awards: awards === undefined ? null : perPeriod(awards),
    points: points === undefined ? null : perPeriod(points),
    cooldown: cooldown === undefined ? null : readDuration(cooldown),
    oncePer: oncePer ?? null,
  };
}

function perPeriod(text: string): { most: bigint; per: Period } {
  const [most = '', per = ''] = text.split('/');
  return { most: BigInt(most), per: per as Period };
}

/** Milliseconds of a duration such as `90s`. */
export function readDuration(text: string): number {
  return Number(text.slice(0, -1)) * UNITS[text.slice(-1) as Unit];
}

export function writeLimits({ awards, points, cooldown, oncePer }: Limits): LimitsRecord {
  return {
    ...(awards !== null && { awards: `${awards.most}/${awards.per}` }),
    ...(points !== null && { points: `${points.most}/${points.per}` }),
    ...(cooldown !== null && { cooldown: writeDuration(cooldown) }),
    ...(oncePer !== null && { oncePer }),
  };
}

/** In the largest unit that it is a whole number of. */
export function writeDuration(ms: number): string {
  const unit = (['d', 'h', 'm'] as const).find((name) => ms % UNITS[name] === 0) ?? 's';
  return `${ms / UNITS[unit]}${unit}`;
}
