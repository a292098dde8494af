import { idOf, levelId } from '../contract-ids.ts';
import type { BoostStatus } from '../rules/boost-schedule.ts';
import { formatDecimal } from '../rules/decimal.ts';
import type {
  AttributeFilter,
  Attributes,
  Instant,
  Level,
  Rounding,
  System,
  Trigger,
  ZonePeriod,
} from '../rules/types.ts';

// The bodies of webhook events, field by field as the published contract has them. Points are numbers there: no balance
// leaves ±(2^53 − 1).

/** What is known of a user. */
export interface UserFacts {
  externalId: string;
  email: string | null;
  name: string | null;
  zones: readonly ZonePeriod[];
  attributes: Attributes;
  /** Null: none. */
  deviceTokens: readonly string[] | null;
  createdAt: Instant;
  updatedAt: Instant;
}

export function userBody(user: UserFacts) {
  return {
    id: user.externalId,
    email: user.email,
    name: user.name,
    tz: user.zones.at(-1)?.zone ?? null,
    deviceTokens: user.deviceTokens,
    subscribeToEmails: user.email !== null,
    attributes: user.attributes,
    control: false,
    created: instant(user.createdAt),
    updated: instant(user.updatedAt),
  };
}

export function systemBody({ id, key, name, description, badgeUrl, maxPoints }: System) {
  return {
    id: idOf('points_system', id),
    key,
    name,
    description: description === '' ? null : description,
    badgeUrl: badgeUrl ?? null,
    maxPoints: maxPoints === null ? null : Number(maxPoints),
  };
}

/** Null: below every level. */
export function levelBody(systemId: string, level: Level | null) {
  if (level === null) return null;
  const { key, name, description, badgeUrl, points } = level;
  return { id: levelId(systemId, key), key, name, description, badgeUrl: badgeUrl ?? null, points: Number(points) };
}

export interface BoostFacts {
  id: string;
  name: string;
  status: BoostStatus;
  multiplier: string;
  rounding: Rounding;
  window:
    | { kind: 'instants'; startTime: Instant; endTime: Instant | null }
    | { kind: 'dates'; start: string; end: string | null };
}

/** Days as days, instants as instants. */
export function boostBody({ id, name, status, multiplier, rounding, window }: BoostFacts) {
  const [start, end] =
    window.kind === 'dates'
      ? [window.start, window.end]
      : [instant(window.startTime), window.endTime === null ? null : instant(window.endTime)];
  return { id, name, status, start, end, multiplier: Number(multiplier), rounding };
}

export interface TriggerFacts {
  trigger: Trigger;
  metricName: string;
  /** When the program that the trigger is taken from came into force. */
  since: Instant;
}

export function triggerBody({ trigger, metricName, since }: TriggerFacts) {
  return {
    id: trigger.id,
    type: trigger.type,
    points: Number(trigger.points),
    status: trigger.active ? 'active' : 'inactive',
    ...(trigger.type === 'metric' && {
      metricId: idOf('metric', trigger.metricId),
      metricName,
      metricThreshold: Number(formatDecimal(trigger.threshold)),
      eventAttributes: pairs(trigger.eventAttributes),
    }),
    userAttributes: pairs(trigger.userAttributes),
    created: instant(since),
    updated: instant(since),
  };
}

export interface AwardFacts {
  id: string;
  amount: bigint;
  at: Instant;
  balanceAfter: bigint;
  trigger: TriggerFacts;
  boosts: readonly BoostFacts[];
}

export function awardBody({ id, amount, at, balanceAfter, trigger, boosts }: AwardFacts) {
  return {
    id,
    awarded: Number(amount),
    date: instant(at),
    total: Number(balanceAfter),
    trigger: triggerBody(trigger),
    boosts: boosts.map(boostBody),
  };
}

export function pointsChanged(
  user: UserFacts,
  change: { system: System; total: string; added: string; awards: readonly AwardFacts[]; level?: Level | null },
) {
  const { system, total, added, awards, level } = change;
  return {
    user: userBody(user),
    points: {
      ...systemBody(system),
      total: Number(total),
      added: Number(added),
      awards: awards.map(awardBody),
      ...(level !== undefined && { level: levelBody(system.id, level) }),
    },
  };
}

export function levelChanged(
  user: UserFacts,
  change: { system: System; total: string; previousLevel: Level | null; newLevel: Level | null },
) {
  return {
    user: userBody(user),
    points: { ...systemBody(change.system), total: Number(change.total) },
    previousLevel: levelBody(change.system.id, change.previousLevel),
    newLevel: levelBody(change.system.id, change.newLevel),
  };
}

/** The same for a start and an end; `at` is the instant that the boost began or ended. */
export function boostTurned(
  boost: BoostFacts & { user: string | null },
  { at, system }: { at: Instant; system: { id: string; key: string; name: string } },
) {
  const { id, name, status, ...rest } = boostBody(boost);
  return {
    timestamp: instant(at),
    boost: {
      id,
      name,
      status,
      userId: boost.user,
      pointsSystemId: idOf('points_system', system.id),
      pointsSystemKey: system.key,
      pointsSystemName: system.name,
      ...rest,
    },
  };
}

export interface AchievementFacts {
  id: string;
  name: string;
  description: string | null;
  badgeUrl: string | null;
  userAttributes: readonly AttributeFilter[];
  achievedAt: Instant;
  trigger:
    | { type: 'api'; key: string }
    | { type: 'streak'; streakLength: number }
    | { type: 'achievement'; achievementIds: readonly string[] }
    | {
        type: 'metric';
        metricId: string;
        metricName: string;
        metricValue: number;
        eventAttributes: readonly AttributeFilter[];
      };
}

export function achievementCompleted(user: UserFacts, achievement: AchievementFacts) {
  const { type, ...of } = achievement.trigger;
  return {
    user: userBody(user),
    achievement: {
      id: achievement.id,
      name: achievement.name,
      trigger: type,
      description: achievement.description,
      badgeUrl: achievement.badgeUrl,
      userAttributes: pairs(achievement.userAttributes),
      ...of,
      ...('eventAttributes' in of && { eventAttributes: pairs(of.eventAttributes) }),
      achievedAt: instant(achievement.achievedAt),
    },
  };
}

/** Days `YYYY-MM-DD`; null: there is none. */
export interface StreakFacts {
  length: number;
  frequency: 'daily' | 'weekly' | 'monthly';
  started: string | null;
  periodStart: string | null;
  periodEnd: string | null;
  expires: string | null;
}

/** The same for a streak that starts and one that is extended. */
export function streakGrew(user: UserFacts, streak: StreakFacts) {
  const { length, frequency, started, periodStart, periodEnd, expires } = streak;
  return { user: userBody(user), streak: { length, frequency, started, periodStart, periodEnd, expires } };
}

/** `length`: of the streak that is over. */
export function streakLost(user: UserFacts, length: number) {
  return { user: userBody(user), length };
}

function pairs(filters: readonly AttributeFilter[]) {
  return filters.map(({ key, value }) => ({ key, value }));
}

function instant(at: Instant): string {
  return new Date(at).toISOString();
}
