import { awardId } from '../../contract-ids.ts';
import type { Queryable } from '../../db/pool.ts';
import type { Programs } from '../../db/programs.ts';
import { type FiredRecord, readFired } from '../../rules/fired-record.ts';
import type { Instant, Trigger } from '../../rules/types.ts';
import type { AwardFacts, BoostFacts } from '../../webhooks/contract.ts';
import type { Cause, PointsChange } from '../../webhooks/hold.ts';
import type { StoredBoost } from '../boosts/boost-rows.ts';
import { boostsByIds } from '../boosts/find-boosts.ts';
import type { Claimed } from './claim.ts';

/** Where what an announcement names is looked up. */
export interface Sources {
  pool: Queryable;
  programs: Programs;
}

interface Decided {
  cause: Cause;
  at: Instant;
  /** `program`: where it is another one than that of the cause. */
  fired: readonly (FiredRecord & { program?: number })[];
}

/** The awards of a change of a user, by the app's own id, in their order. Spends and adjustments change a balance without one. */
export async function awardsFor(
  sources: Sources,
  claimed: Claimed,
  user: string,
  change: PointsChange,
): Promise<AwardFacts[]> {
  const { pool, programs } = sources;
  const decided = await decisionsOf(pool, claimed.userId, change.causes);
  const given = decided.flatMap(({ cause, at, fired }) =>
    fired
      .filter(({ system, version }) => system === change.system && version !== undefined)
      .map((one) => ({ program: one.program ?? cause.program, at: one.at ?? at, fired: readFired(one) })),
  );
  const ids = new Set(given.flatMap(({ fired }) => fired.boosts.map(({ id }) => id)));
  const [boosts, metrics, since] = await Promise.all([
    ids.size === 0 ? [] : boostsByIds(pool, claimed.projectId, [...ids]),
    metricNames(pool, claimed.projectId),
    programTimes(pool, claimed.projectId, [...new Set(given.map(({ program }) => program))]),
  ]);
  const known = new Map(boosts.map((stored) => [stored.boost.id, boostFacts(stored)]));
  return Promise.all(
    given.map(async ({ program, at, fired }) => {
      const index = await programs.get(pool, claimed.projectId, program);
      const trigger = index.triggerById.get(fired.triggerId) as Trigger;
      const metricName = trigger.type === 'metric' ? (metrics.get(trigger.metricId) ?? trigger.metricKey) : '';
      return {
        id: awardId(claimed.projectId, user, fired.triggerId, fired.version as bigint),
        amount: fired.amount,
        at,
        balanceAfter: fired.balanceAfter,
        trigger: { trigger, metricName, since: since.get(program) ?? at },
        boosts: fired.boosts.flatMap(({ id }) => known.get(id) ?? []),
      };
    }),
  );
}

export function boostFacts({ boost, status }: StoredBoost): BoostFacts {
  const { id, name, multiplier, rounding, window } = boost;
  return { id, name, status, multiplier, rounding, window };
}

/** What was decided for each of the causes that give awards. */
async function decisionsOf(db: Queryable, userId: string, causes: readonly Cause[]): Promise<Decided[]> {
  const idsOf = (kind: Cause['kind']) => causes.filter((cause) => cause.kind === kind).map(({ id }) => id);
  const { rows } = await db.query({
    name: 'decisions-of',
    text: `select 'event' as kind, id, occurred_at as at, decision->'fired' as fired from events
      where user_id = $1 and id = any($2::uuid[])
      union all
      select 'user', id, received_at, decision->'fired' from user_commands where user_id = $1 and id = any($3::uuid[])
      union all
      select 'completion', id, at, decision->'fired' from completions where user_id = $1 and id = any($4::uuid[])
      union all
      select 'settlement', id, until, record->'runs' from settlements where user_id = $1 and id = any($5::uuid[])`,
    values: [userId, idsOf('event'), idsOf('user'), idsOf('completion'), idsOf('settlement')],
  });
  const found = new Map(rows.map((row) => [`${row.kind} ${row.id}`, row]));
  return causes.flatMap((cause) => {
    const row = found.get(`${cause.kind} ${cause.id}`);
    return row === undefined ? [] : [{ cause, at: row.at.getTime(), fired: row.fired ?? [] }];
  });
}

async function metricNames(db: Queryable, projectId: string): Promise<Map<string, string>> {
  const { rows } = await db.query({
    name: 'metric-names',
    text: 'select id, name from metrics where project_id = $1',
    values: [projectId],
  });
  return new Map(rows.map((row) => [row.id, row.name]));
}

async function programTimes(
  db: Queryable,
  projectId: string,
  versions: readonly number[],
): Promise<Map<number, Instant>> {
  const { rows } = await db.query({
    name: 'program-times',
    text: 'select version, created_at from programs where project_id = $1 and version = any($2::int[])',
    values: [projectId, versions],
  });
  return new Map(rows.map((row) => [row.version, row.created_at.getTime()]));
}
