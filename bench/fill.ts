import type pg from 'pg';
import { onDatabase } from './databases.ts';
import { ENTRIES_EACH } from './plan.ts';

// Fills a database with what events would have left: the rows are of the form that SendEvent writes, in the order of
// time, so that indexes look as they do in use. Only the hashes are not what they should be (verify would say so): they
// cost the same to keep.

/** Users that one statement adds an event each to. */
const CHUNK = 100_000;
const POINTS = 10;

/** Ten events and entries for each user, `user-1` and so on; their internal ids have the same order. */
export async function fill(url: string, entries: number): Promise<void> {
  const users = usersOf(entries);
  await onDatabase(url, async (client) => {
    await client.query('set synchronous_commit = off');
    // What is posted row by row here would be rewritten ten times: accounts come at the end, as they are by then.
    await client.query('alter table entries disable trigger entries_post');
    await client.query('alter table accounts disable trigger accounts_follow_entries_insert');
    const ids = await readIds(client);
    await addUsers(client, ids, users);
    for (let seq = 1; seq <= ENTRIES_EACH; seq += 1) {
      for (let from = 1; from <= users; from += CHUNK) {
        await addEvents(client, ids, { seq, from, to: Math.min(users, from + CHUNK - 1) });
      }
    }
    await addSums(client, ids);
    await client.query('alter table entries enable trigger entries_post');
    await client.query('alter table accounts enable trigger accounts_follow_entries_insert');
    await client.query('vacuum (analyze)');
    await client.query('checkpoint');
  });
}

export function usersOf(entries: number): number {
  return Math.max(1, Math.floor(entries / ENTRIES_EACH));
}

interface Ids {
  project: string;
  metric: string;
  system: string;
  trigger: string;
  version: number;
}

async function readIds(client: pg.Client): Promise<Ids> {
  const { rows } = await client.query(
    `select p.id as project, m.id as metric, s.id as system, p.program_version as version,
      jsonb_path_query_first(g.snapshot, '$.systems[*].triggers[*]') ->> 'id' as trigger
    from projects p join metrics m on m.project_id = p.id join points_systems s on s.project_id = p.id
    join programs g on g.project_id = p.id and g.version = p.program_version`,
  );
  return rows[0] as Ids;
}

async function addUsers(client: pg.Client, ids: Ids, users: number): Promise<void> {
  await client.query(
    `insert into users (project_id, external_id, seq, event_hash, created_at, updated_at)
    select $1, 'user-' || n, $2, sha256(n::text::bytea), now() - interval '20 days', now() - interval '1 day'
    from generate_series(1, $3::int) n order by n`,
    [ids.project, ENTRIES_EACH, users],
  );
}

async function addEvents(
  client: pg.Client,
  ids: Ids,
  { seq, from, to }: { seq: number; from: number; to: number },
): Promise<void> {
  await client.query(
    `with written as (
      insert into events (user_id, id, seq, metric_id, keyed, key, value, attributes, occurred_at, occurred_at_sent,
        received_at, created_at, total_before, total_after, high_before, high_after, program_version, decision,
        hash_version, hash)
      select id, uuidv7(), $4::bigint, $2::bigint, true, 'fill-' || $4::bigint, 1, '{}', at, false, at, at,
        $4::bigint - 1, $4::bigint, $4::bigint - 1, $4::bigint, $5::int,
        jsonb_build_object(
          'fired', jsonb_build_array(jsonb_build_object('base', $6::text, 'fires', '1', 'amount', $6::text,
            'system', $3::text, 'balance', points, 'trigger', $7::text, 'version', $4::text)),
          'systems', jsonb_build_array(jsonb_build_object('after', jsonb_build_array(points, points, $4::text),
            'before', jsonb_build_array(before, before, ($4::bigint - 1)::text),
            'levels', jsonb_build_array('novice', 'novice'), 'system', $3::text))),
        1, sha256((id::text || ' ' || $4::text)::bytea)
      from (
        select id, (now() - interval '20 days' + $4::bigint * interval '1 day')::timestamptz(3) as at,
          ($4::bigint * $6::bigint)::text as points, (($4::bigint - 1) * $6::bigint)::text as before
        from users where project_id = $1 order by id offset $8 - 1 limit $9 - $8 + 1
      ) u
      returning user_id, id, occurred_at, hash
    )
    insert into entries (user_id, system_id, version, kind, amount, balance_after, cause_key, event_id, trigger_id,
      occurred_at, created_at, hash_version, hash)
    select user_id, $3::bigint, $4::bigint, 'award', $6::bigint, $4::bigint * $6::bigint,
      'event:' || id || ':' || $7::text, id, $7::uuid, occurred_at, occurred_at, 1, hash
    from written`,
    [ids.project, ids.metric, ids.system, seq, ids.version, POINTS, ids.trigger, from, to],
  );
}

async function addSums(client: pg.Client, ids: Ids): Promise<void> {
  await client.query(
    `insert into metric_totals (user_id, metric_id, total, high)
    select id, $2, $3, $3 from users where project_id = $1 order by id`,
    [ids.project, ids.metric, ENTRIES_EACH],
  );
  await client.query(
    `insert into accounts (user_id, system_id, balance, earned, version, hash)
    select e.user_id, e.system_id, e.balance_after, e.balance_after, e.version, e.hash
    from entries e where e.version = $1 order by e.user_id`,
    [ENTRIES_EACH],
  );
}
