import { idOf } from '../../contract-ids.ts';
import type { AnnouncementKind } from '../../db/entities/outbox.ts';
import type { Queryable } from '../../db/pool.ts';
import { type KnownUser, userById } from '../../ledger/users.ts';
import { formatDecimal } from '../../rules/decimal.ts';
import { daysOf, lengthOf } from '../../rules/streak.ts';
import type { Frequency, System } from '../../rules/types.ts';
import {
  achievementCompleted,
  boostTurned,
  levelChanged,
  pointsChanged,
  streakGrew,
  streakLost,
} from '../../webhooks/contract.ts';
import type { PointsChange } from '../../webhooks/hold.ts';
import { EVENT_TYPES } from '../../webhooks/kinds.ts';
import { boostsByIds } from '../boosts/find-boosts.ts';
import { awardsFor, boostFacts, type Sources } from './awards.ts';
import type { Claimed } from './claim.ts';

type Composed = Readonly<Record<string, unknown>>;
type Compose = (sources: Sources, claimed: Claimed) => Promise<Composed>;

/** The content of each kind of event. */
const BODIES: Readonly<Record<AnnouncementKind, Compose>> = {
  points_changed: composePointsChanged,
  level_changed: composeLevelChanged,
  boost_started: composeBoost,
  boost_finished: composeBoost,
  achievement_completed: composeAchievement,
  streak_started: composeStreak,
  streak_extended: composeStreak,
  streak_lost: composeStreakLost,
};

/**
 * The body of a webhook event as JSON. Programs never change, and events are for ever, so of what happened it says the
 * same at every attempt; of the user, what is known at this one.
 */
export async function composeBody(sources: Sources, claimed: Claimed): Promise<string> {
  const content = await BODIES[claimed.kind](sources, claimed);
  return JSON.stringify({ type: EVENT_TYPES[claimed.kind], ...content });
}

async function composePointsChanged(sources: Sources, claimed: Claimed): Promise<Composed> {
  const change = claimed.payload as unknown as PointsChange;
  const [user, system] = await Promise.all([userOf(sources, claimed), systemOf(sources, claimed, change)]);
  const awards = await awardsFor(sources, claimed, user.externalId, change);
  return pointsChanged(user, {
    system,
    total: change.total,
    added: change.added,
    awards,
    ...(change.from !== change.to && { level: levelByKey(system, change.to) }),
  });
}

async function composeLevelChanged(sources: Sources, claimed: Claimed): Promise<Composed> {
  const change = claimed.payload as unknown as PointsChange;
  const [user, system] = await Promise.all([userOf(sources, claimed), systemOf(sources, claimed, change)]);
  return levelChanged(user, {
    system,
    total: change.total,
    previousLevel: levelByKey(system, change.from),
    newLevel: levelByKey(system, change.to),
  });
}

async function composeBoost({ pool, programs }: Sources, { projectId, kind, payload }: Claimed): Promise<Composed> {
  const { boost: id, system: systemId, at } = payload as { boost: string; system: string; at: string };
  const [[stored], current] = await Promise.all([
    boostsByIds(pool, projectId, [id]),
    programs.current(pool, [projectId]),
  ]);
  if (stored === undefined) throw new Error(`boost ${id} is missing`);
  // A points system that has left the program still has its key.
  const system = current.get(projectId)?.systemById.get(systemId) ?? (await archivedSystem(pool, systemId));
  const boost = { ...boostFacts(stored), user: stored.user?.externalId ?? null };
  const status = kind === 'boost_started' ? 'active' : 'finished';
  return boostTurned({ ...boost, status }, { at: Number(at), system });
}

async function composeAchievement(sources: Sources, claimed: Claimed): Promise<Composed> {
  const { pool, programs } = sources;
  const { achievement: id, at, program } = claimed.payload as { achievement: string; at: number; program: number };
  const [user, index] = await Promise.all([userOf(sources, claimed), programs.get(pool, claimed.projectId, program)]);
  const achievement = index.achievementById.get(id);
  if (achievement === undefined) throw new Error(`achievement ${id} is missing in program ${program}`);
  const { name, description, badgeUrl = null, userAttributes, rule } = achievement;
  return achievementCompleted(user, {
    id,
    name,
    description: description === '' ? null : description,
    badgeUrl,
    userAttributes,
    achievedAt: at,
    trigger:
      rule.type === 'api'
        ? { type: 'api', key: achievement.key }
        : rule.type === 'streak'
          ? { type: 'streak', streakLength: rule.length }
          : {
              type: 'metric',
              metricId: idOf('metric', rule.metricId),
              metricName: rule.metricKey,
              metricValue: Number(formatDecimal(rule.total)),
              eventAttributes: [],
            },
  });
}

async function composeStreak(sources: Sources, claimed: Claimed): Promise<Composed> {
  const { frequency, first, last } = claimed.payload as { frequency: Frequency; first: number; last: number };
  const days = daysOf(last, frequency);
  return streakGrew(await userOf(sources, claimed), {
    length: lengthOf({ first, last }),
    frequency,
    started: daysOf(first, frequency).start,
    periodStart: days.start,
    periodEnd: days.end,
    expires: daysOf(last + 1, frequency).end,
  });
}

async function composeStreakLost(sources: Sources, claimed: Claimed): Promise<Composed> {
  const { first, last } = claimed.payload as { first: number; last: number };
  return streakLost(await userOf(sources, claimed), lengthOf({ first, last }));
}

async function archivedSystem(db: Queryable, id: string): Promise<{ id: string; key: string; name: string }> {
  const { rows } = await db.query({
    name: 'archived-system',
    text: 'select key from points_systems where id = $1',
    values: [id],
  });
  return { id, key: rows[0].key, name: rows[0].key };
}

async function userOf({ pool }: Sources, { userId }: Claimed): Promise<KnownUser> {
  const user = await userById(pool, userId);
  if (user === undefined) throw new Error(`user ${userId} is missing`);
  return user;
}

/** As it was by the program that decided the last change. */
async function systemOf({ pool, programs }: Sources, claimed: Claimed, change: PointsChange): Promise<System> {
  const { program } = change.causes.at(-1) as PointsChange['causes'][number];
  const index = await programs.get(pool, claimed.projectId, program);
  const system = index.systemById.get(change.system);
  if (system === undefined) throw new Error(`points system ${change.system} is missing in program ${program}`);
  return system;
}

function levelByKey(system: System, key: string | null) {
  return system.levels.find((level) => level.key === key) ?? null;
}
