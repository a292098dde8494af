import type { MessageInitShape } from '@bufbuild/protobuf';
import type { BoostInputSchema } from '../../src/gen/guerdon/v1/boost_service_pb.ts';
import type { TestDatabase } from './database.ts';
import type { Clients } from './guerdon.ts';

/** As many as one call takes. */
const BLOCK = 1_000;

/** Users of the first project, as if they had been seen with this zone. */
export async function addUsers(
  database: TestDatabase,
  count: number,
  zone: string,
  prefix = 'user',
): Promise<string[]> {
  await database.pool.query(
    `insert into users (project_id, external_id, zones, created_at, updated_at)
    select (select min(id) from projects), $1 || n, jsonb_build_array(jsonb_build_object('from', 0, 'zone', $2::text)),
      now(), now()
    from generate_series(1, $3) n`,
    [prefix, zone, count],
  );
  return Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
}

/** A boost in xp for each user, by as few calls as it takes; gives their ids. */
export async function addBoosts(
  { boosts }: Pick<Clients, 'boosts'>,
  users: readonly string[],
  boost: MessageInitShape<typeof BoostInputSchema>,
): Promise<string[]> {
  const ids: string[] = [];
  for (let at = 0; at < users.length; at += BLOCK) {
    const block = users.slice(at, at + BLOCK).map((userId) => ({ name: 'b', multiplier: '2', ...boost, userId }));
    const { created } = await boosts.createBoosts({ systemKey: 'xp', boosts: block }, { timeoutMs: 60_000 });
    ids.push(...created.map(({ id }) => id));
  }
  return ids;
}

/** How many boosts of users have each status. */
export async function statuses(database: TestDatabase): Promise<Record<string, number>> {
  const { rows } = await database.pool.query('select status, count(*)::int from user_boosts group by 1');
  return Object.fromEntries(rows.map((row) => [row.status, row.count]));
}

/** A paused webhook that wants all: without one nothing is announced, and what is stays where it can be counted. */
export async function listen(database: TestDatabase): Promise<void> {
  await database.pool.query(
    `insert into webhooks (id, project_id, name, url, kinds, points_interval, status, paused_reason, paused_at, secret,
      created_at, updated_at)
    values (gen_random_uuid(), (select min(id) from projects), 'counted', 'https://localhost', '[]', 0, 'paused', 'asked',
      now(), 'whsec_', now(), now())`,
  );
}

/** What was announced, whether a webhook's queue has it yet or not. */
const ANNOUNCED = `(select id, kind, payload, user_id, created_at from outbox
  union select event_id, kind, payload, nullif(user_id, 0), created_at from webhook_deliveries)`;

/** In the order in which it was announced. */
export async function announcements(
  database: TestDatabase,
): Promise<{ kind: string; payload: Record<string, string>; user_id: string | null; created_at: Date }[]> {
  return (await database.pool.query(`select * from ${ANNOUNCED} a order by id`)).rows;
}

/** Under the lock of who makes deliveries of them, so that none is on its way. */
export async function forgetAnnouncements(database: TestDatabase): Promise<void> {
  await database.pool.query(`do $$ begin
    perform pg_advisory_xact_lock(hashtext('guerdon webhooks'));
    delete from outbox;
    delete from webhook_queues;
    delete from webhook_deliveries;
  end $$`);
}

/** How often each kind was announced, and how many announcements say again what another one has said. */
export async function announced(database: TestDatabase): Promise<{ started: number; finished: number; again: number }> {
  const { rows } = await database.pool.query(`select
      count(*) filter (where kind = 'boost_started')::int as started,
      count(*) filter (where kind = 'boost_finished')::int as finished,
      (count(*) - count(distinct (kind, payload->>'boost')))::int as again
    from ${ANNOUNCED} a where kind in ('boost_started', 'boost_finished')`);
  return rows[0];
}
