import { instantText, type Queryable } from '../../db/pool.ts';
import { isAnnounced } from '../../ledger/webhooks.ts';
import type { Instant } from '../../rules/types.ts';

const TABLES = ['user_boosts', 'global_boosts'] as const;

/**
 * One claim: boosts that are due change their status, and what begins and ends is announced, in one statement, so that
 * each happens once however many processes claim at the same time, and none of it where one dies half way. A boost that
 * somebody changes after its end starts anew. One that is never open, since its day was skipped, is not announced.
 */
function claim(table: (typeof TABLES)[number], now: string, which: string, limit: string): string {
  const key = table === 'user_boosts' ? 'user_id' : 'project_id';
  return `with clock (now) as (
      values (${now}::timestamptz)
    ), due as (
      select b.${key}, b.id, b.status from ${table} b
      where b.due_at <= (select now from clock) and b.archived_at is null${which} order by b.due_at${limit} for update skip locked
    ), changed as (
      update ${table} b set
        status = case when b.ends_at <= clock.now then 'finished' when b.starts_at <= clock.now then 'active'
          else 'scheduled' end,
        due_at = case when b.ends_at <= clock.now then null when b.starts_at <= clock.now then b.ends_at
          else b.starts_at end
      from due, clock where b.${key} = due.${key} and b.id = due.id
      returning b.*, due.status as was
    ), announced as (
      insert into outbox (project_id, user_id, kind, payload, cause_key, created_at)
      select s.project_id, ${table === 'user_boosts' ? 'c.user_id' : 'null::bigint'}, e.kind,
        jsonb_build_object('boost', c.id, 'system', s.id::text, 'at', e.at),
        format('boost:%s:%s:%s:%s', c.id, e.kind, e.at, extract(epoch from c.updated_at)), clock.now
      from clock, changed c join points_systems s on s.id = c.system_id
      cross join lateral (values
        ('boost_started', (extract(epoch from c.starts_at) * 1000)::bigint::text,
          c.was = 'scheduled' and c.status <> 'scheduled'),
        ('boost_finished', (extract(epoch from c.ends_at) * 1000)::bigint::text,
          c.was <> 'finished' and c.status = 'finished')) as e (kind, at, happens)
      where e.happens and c.starts_at is distinct from c.ends_at and ${isAnnounced('s.project_id', 'e.kind')}
      on conflict (cause_key) where cause_key is not null do nothing
    )
    select count(*)::int as claimed from changed`;
}

/** Brings the status of at most `limit` boosts of each kind to what it is at `now`; gives how many were claimed. */
export async function advanceBoosts(db: Queryable, now: Instant, limit: number): Promise<number> {
  let claimed = 0;
  for (const table of TABLES) {
    const { rows } = await db.query({
      name: `advance-${table}`,
      text: claim(table, '$1', '', ' limit $2'),
      values: [instantText(now), limit],
    });
    claimed += rows[0].claimed;
  }
  return claimed;
}

type Execute = (sql: string, parameters: unknown[]) => Promise<unknown>;

/** The same for these boosts alone, inside the transaction that has just written them. */
export async function advanceThese(execute: Execute, now: Instant, ids: readonly string[]): Promise<void> {
  const which = ' and b.id = any(array(select jsonb_array_elements_text(?::jsonb)::uuid))';
  for (const table of TABLES) {
    await execute(claim(table, '?', which, ''), [instantText(now), JSON.stringify(ids)]);
  }
}

/** When the next boost is due; null: none ever. */
export async function nextDue(db: Queryable): Promise<Instant | null> {
  const { rows } = await db.query({
    name: 'next-boost-due',
    text: `select (extract(epoch from least(
        (select min(due_at) from user_boosts where due_at is not null),
        (select min(due_at) from global_boosts where due_at is not null))) * 1000)::bigint as due`,
  });
  return rows[0].due === null ? null : Number(rows[0].due);
}
