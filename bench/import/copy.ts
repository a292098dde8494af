import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from, to } from 'pg-copy-streams';
import { onDatabase } from '../databases.ts';

// COPY (c): the rows that an import has left are copied out of its database, then into another one that began as the first
// did. Indexes, constraints and foreign keys are all there. Two triggers are not: the one that posts entries to accounts,
// and the one that lets nobody else change accounts, since the accounts come as rows of their own.

/** What an import leaves of users, in an order that foreign keys allow; and by which column they are the user's. */
const TABLES = {
  users: 'id',
  metric_totals: 'user_id',
  accounts: 'user_id',
  events: 'user_id',
  entries: 'user_id',
  level_changes: 'user_id',
} as const;

const TRIGGERS = [
  ['entries', 'entries_post'],
  ['accounts', 'accounts_follow_entries_insert'],
] as const;

/** The rows of an import, in files. */
export interface Dump {
  dir: string;
  /** Rows by table. */
  rows: Record<string, number>;
}

/** The highest internal id of a user there is. */
export function lastUser(databaseUrl: string): Promise<string> {
  return onDatabase(databaseUrl, async (client) => {
    const { rows } = await client.query('select coalesce(max(id), 0) as id from users');
    return rows[0].id as string;
  });
}

/** Copies out the rows of users with a higher id than this. */
export function copyOut(databaseUrl: string, dir: string, after: string): Promise<Dump> {
  return onDatabase(databaseUrl, async (client) => {
    const rows: Dump['rows'] = {};
    for (const [table, column] of Object.entries(TABLES)) {
      const query = to(`copy (select * from ${table} where ${column} > ${BigInt(after)}) to stdout`);
      await pipeline(client.query(query), createWriteStream(join(dir, table)));
      rows[table] = query.rowCount;
    }
    return { dir, rows };
  });
}

/** Copies the rows in, in one transaction; gives the seconds that this took, the commit included. */
export function copyIn(databaseUrl: string, { dir, rows }: Dump): Promise<number> {
  return onDatabase(databaseUrl, async (client) => {
    await switchTriggers(client, 'disable');
    const columns = await insertable(client);
    const start = performance.now();
    await client.query('begin');
    for (const table of Object.keys(rows)) {
      const names = columns.get(table)?.join(', ');
      await pipeline(createReadStream(join(dir, table)), client.query(from(`copy ${table} (${names}) from stdin`)));
    }
    await client.query('commit');
    const seconds = (performance.now() - start) / 1000;
    await switchTriggers(client, 'enable');
    await expectAll(client, rows);
    return seconds;
  });
}

async function switchTriggers(client: pg.Client, to: 'enable' | 'disable'): Promise<void> {
  for (const [table, trigger] of TRIGGERS) await client.query(`alter table ${table} ${to} trigger ${trigger}`);
}

async function insertable(client: pg.Client): Promise<Map<string, string[]>> {
  const { rows } = await client.query(
    `select table_name, array_agg(column_name::text order by ordinal_position) as names
    from information_schema.columns where table_schema = 'public' and is_generated = 'NEVER' group by 1`,
  );
  return new Map(rows.map(({ table_name, names }) => [table_name, names]));
}

/** A copy that lost rows would be a fast one. */
async function expectAll(client: pg.Client, rows: Dump['rows']): Promise<void> {
  for (const [table, expected] of Object.entries(rows)) {
    const { rows: counted } = await client.query(`select count(*)::int as count from ${table}`);
    if (counted[0].count < expected) throw new Error(`${table}: ${counted[0].count} rows of ${expected} are there`);
  }
}
