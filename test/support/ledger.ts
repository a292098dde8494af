import { expect } from '@jest/globals';
import { Programs } from '../../src/db/programs.ts';
import { verify } from '../../src/ledger/verify.ts';
import type { TestDatabase } from './database.ts';

/** Everything stored is as it must be, and nothing was set aside. */
export async function expectSound(database: TestDatabase): Promise<void> {
  const { fault } = await verify(database.pool, new Programs(), { abreast: 5 });
  expect(fault).toBeUndefined();
  const { rows } = await database.pool.query('select count(*)::int as poisoned from poisoned');
  expect(rows).toEqual([{ poisoned: 0 }]);
}

/** Runs the tampering as one who can switch the guards off, verifies, and takes it back; gives the fault that was found. */
export async function faultAfter({ pool }: TestDatabase, tampering: string): Promise<string | undefined> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query('set local session_replication_role = replica');
    await client.query(tampering);
    const { fault } = await verify(client as never, new Programs());
    return fault === undefined ? undefined : `${fault.row}: ${fault.fault}`;
  } finally {
    await client.query('rollback');
    client.release();
  }
}

/** The versions of an account's entries, ascending. */
export async function versionsOf(database: TestDatabase, user: string, system: string): Promise<number[]> {
  const { rows } = await database.pool.query(
    `select e.version::int from entries e join users u on u.id = e.user_id
    join points_systems s on s.id = e.system_id where u.external_id = $1 and s.key = $2 order by 1`,
    [user, system],
  );
  return rows.map((row) => row.version);
}

/** Every user's balance in a points system. */
export async function balancesOf(database: TestDatabase, system: string): Promise<Record<string, number>> {
  const { rows } = await database.pool.query(
    `select u.external_id as user, a.balance::int from accounts a join users u on u.id = a.user_id
    join points_systems s on s.id = a.system_id where s.key = $1`,
    [system],
  );
  return Object.fromEntries(rows.map((row) => [row.user, row.balance]));
}
