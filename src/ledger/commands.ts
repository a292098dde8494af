import { instantText, type Queryable } from '../db/pool.ts';
import type { RefusalCode } from '../rules/decision.ts';
import type { Attributes, Instant } from '../rules/types.ts';
import type { EventName } from './events.ts';

/** Names a spend or an adjustment as its sender does. */
export interface TransactionName {
  id: string;
  projectId: string;
  user: string;
  kind: 'spend' | 'adjust';
  systemId: string;
  key: string;
}

export interface FoundTransaction {
  userId: string;
  id: string;
  systemId: string;
  amount: string;
  programVersion: number;
  levelBefore: string | null;
  levelAfter: string | null;
  entry: {
    version: string;
    kind: 'spend' | 'adjust';
    amount: string;
    balanceAfter: string;
    receivedAt: Instant;
    createdAt: Instant;
    reason: string;
    key: string;
  };
}

/** The applied spends and adjustments that have the names asked for, by the `id` that was asked with. */
export async function findTransactions(
  db: Queryable,
  names: readonly TransactionName[],
): Promise<Map<string, FoundTransaction>> {
  if (names.length === 0) return new Map();
  // One look-up for each by the whole key: a plan made while the tables are small would join all of a user's rows.
  const { rows } = await db.query({
    name: 'find-transactions',
    text: `select asked.id as asked_id, c.user_id, c.id, c.system_id, c.amount as asked_amount, c.program_version,
        c.level_before, c.level_after, c.kind, c.reason, c.key, c.received_at, e.version, e.amount, e.balance_after,
        e.created_at
      from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::uuid[])
        as asked (project_id, external_id, kind, system_id, key, id)
      join users u using (project_id, external_id)
      cross join lateral (
        select * from commands where user_id = u.id and kind = asked.kind and system_id = asked.system_id
          and key = asked.key limit 1
      ) c
      cross join lateral (
        select * from entries where user_id = u.id and system_id = c.system_id and version >= c.entry_version
          order by version limit 1
      ) e`,
    values: [
      names.map((name) => name.projectId),
      names.map((name) => name.user),
      names.map((name) => name.kind),
      names.map((name) => name.systemId),
      names.map((name) => name.key),
      names.map((name) => name.id),
    ],
  });
  return new Map(
    rows.map((row) => [
      row.asked_id as string,
      {
        userId: row.user_id,
        id: row.id,
        systemId: row.system_id,
        amount: row.asked_amount,
        programVersion: row.program_version,
        levelBefore: row.level_before,
        levelAfter: row.level_after,
        entry: {
          version: row.version,
          kind: row.kind,
          amount: row.amount,
          balanceAfter: row.balance_after,
          receivedAt: row.received_at.getTime(),
          createdAt: row.created_at.getTime(),
          reason: row.reason,
          key: row.key,
        },
      },
    ]),
  );
}

/** Names one attempt of a call. */
export interface AttemptName {
  id: string;
  projectId: string;
  user: string;
}

/** Whether these very attempts made their users known, by attempt id; those that were not applied are absent. */
export async function findUserCommands(db: Queryable, attempts: readonly AttemptName[]): Promise<Map<string, boolean>> {
  if (attempts.length === 0) return new Map();
  const { rows } = await db.query({
    name: 'find-user-commands',
    text: `select c.id, c.created
      from unnest($1::bigint[], $2::text[], $3::uuid[]) as asked (project_id, external_id, id)
      join users u using (project_id, external_id)
      join user_commands c on c.user_id = u.id and c.id = asked.id`,
    values: [
      attempts.map((attempt) => attempt.projectId),
      attempts.map((attempt) => attempt.user),
      attempts.map((attempt) => attempt.id),
    ],
  });
  return new Map(rows.map((row) => [row.id as string, row.created as boolean]));
}

export interface FoundRefusal {
  code: RefusalCode;
  detail: Readonly<Record<string, string>>;
}

/** Refusals of exactly these attempts, by attempt id. */
export async function findRefusals(
  db: Queryable,
  attempts: readonly AttemptName[],
): Promise<Map<string, FoundRefusal>> {
  if (attempts.length === 0) return new Map();
  const { rows } = await db.query({
    name: 'find-refusals',
    text: `select r.id, r.code, r.detail
      from unnest($1::bigint[], $2::text[], $3::uuid[]) as asked (project_id, external_id, id)
      join users u using (project_id, external_id)
      join refusals r on r.user_id = u.id and r.id = asked.id`,
    values: [
      attempts.map((attempt) => attempt.projectId),
      attempts.map((attempt) => attempt.user),
      attempts.map((attempt) => attempt.id),
    ],
  });
  return new Map(rows.map((row) => [row.id as string, { code: row.code, detail: row.detail }]));
}

/**
 * Keeps that events were refused since their key was used with other content, where nobody waited to hear it. Of users
 * that the ledger knows, since the first event with the key is there.
 */
export async function noteReused(
  db: Queryable,
  events: readonly (EventName & {
    value: string;
    attributes: Attributes;
    occurredAt: Instant;
    receivedAt: Instant;
    detail: Readonly<Record<string, string>>;
  })[],
  now: Instant,
): Promise<void> {
  await db.query(
    `insert into refusals (user_id, id, kind, metric_id, keyed, key, value, attributes, occurred_at, received_at, created_at,
        program_version, code, detail)
      select u.id, r.id, 'event', r.metric_id, true, r.key, r.value, r.attributes, r.occurred_at, r.received_at,
        $11::timestamptz, 0, 'IDEMPOTENCY_KEY_REUSED', r.detail
      from unnest($1::bigint[], $2::text[], $3::uuid[], $4::bigint[], $5::text[], $6::numeric[], $7::jsonb[],
          $8::timestamptz[], $9::timestamptz[], $10::jsonb[])
        as r (project_id, external_id, id, metric_id, key, value, attributes, occurred_at, received_at, detail)
      join users u using (project_id, external_id)
      on conflict do nothing`,
    [
      events.map((event) => event.projectId),
      events.map((event) => event.user),
      events.map((event) => event.id),
      events.map((event) => event.metricId),
      events.map((event) => event.key),
      events.map((event) => event.value),
      events.map((event) => JSON.stringify(event.attributes)),
      events.map((event) => instantText(event.occurredAt)),
      events.map((event) => instantText(event.receivedAt)),
      events.map((event) => JSON.stringify(event.detail)),
      instantText(now),
    ],
  );
}

/** Which of these attempts were set aside because applying them failed. */
export async function findPoisoned(db: Queryable, attempts: readonly { id: string }[]): Promise<string[]> {
  if (attempts.length === 0) return [];
  const { rows } = await db.query({
    name: 'find-poisoned',
    text: 'select p.id from unnest($1::uuid[]) as asked (id) join poisoned p using (id)',
    values: [attempts.map((attempt) => attempt.id)],
  });
  return rows.map((row) => row.id as string);
}

/** Puts a command that cannot be applied out of the way, once. */
export async function setAside(
  db: Queryable,
  command: { id: string; projectId: string },
  error: string,
  now: Instant,
): Promise<void> {
  await db.query(
    `insert into poisoned (id, project_id, command, error, created_at) values ($1, $2, $3, $4, $5)
    on conflict (id) do nothing`,
    [command.id, command.projectId, JSON.stringify(command), error.slice(0, 2000), instantText(now)],
  );
}
