import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPool, type Pool } from '../../src/db/pool.ts';
import { inLanes } from '../../src/db/serializable.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { race } from '../support/lanes.ts';

describe('lanes', () => {
  it('2 worker processes: under 1 % of attempts meet a conflict', async () => {
    const met = await race(2, 1_000, 20);
    process.stdout.write(`lanes: ${JSON.stringify(met)}\n`);
    expect(met.ratio).toBeLessThan(0.01);
  }, 120_000);
});

describe('transactions of lanes', () => {
  let database: TestDatabase;
  let pool: Pool;
  beforeAll(async () => {
    database = await createDatabase();
    pool = createPool({ url: database.url, max: 5, name: 'test-lanes', lanes: true, onError: () => {} });
    await pool.query('create table duty (name text primary key, on_call boolean not null)');
    await pool.query(`insert into duty values ('a', true), ('b', true)`);
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  const lanes = () => ({ pool, attempts: { begun: 0, committed: 0, conflicts: 0 }, random: Math.random });

  it('has several lanes at once, or none of them where one is held elsewhere', async () => {
    const holder = await pool.connect();
    await holder.query('select pg_advisory_lock(1735750770, 5)');
    const work = { read: async () => {}, write: async () => ({ result: 'done', written: Promise.resolve() }) };
    await expect(inLanes(lanes(), [4, 5, 6], work)).rejects.toMatchObject({ busy: [5] });
    const { rows } = await pool.query(`select objid::int as lane from pg_locks where locktype = 'advisory' and
      database = (select oid from pg_database where datname = current_database())`);
    expect(rows).toEqual([{ lane: 5 }]);
    await holder.query('select pg_advisory_unlock_all()');
    holder.release();
    expect(await inLanes(lanes(), [4, 5, 6], work)).toBe('done');
  });

  it('a conflict with a writer outside, found at a statement, is tried again', async () => {
    const all = lanes();
    let first = true;
    await inLanes(all, 1, {
      read: async () => {},
      write: async (client) => {
        await client.query('select * from duty');
        if (first) {
          first = false;
          await pool.query(`update duty set on_call = on_call where name = 'a'`);
        }
        const written = client.query(`update duty set on_call = on_call where name = 'a'`);
        return { result: null, written };
      },
    });
    expect(all.attempts).toEqual({ begun: 2, committed: 1, conflicts: 1 });
  });

  it('a conflict with a writer outside, found at COMMIT, is tried again', async () => {
    const all = lanes();
    let first = true;
    const codes: unknown[] = [];
    await inLanes(all, 1, {
      read: async () => {},
      write: async (client) => {
        const { rows } = await client.query('select count(*)::int as on_call from duty where on_call');
        if (first) {
          first = false;
          // Write skew: each sees both on call and takes one off; the other commits first.
          const rogue = await pool.connect();
          await rogue.query('begin isolation level serializable');
          await rogue.query('select count(*) from duty where on_call');
          await client.query(`update duty set on_call = false where name = 'a'`);
          await rogue.query(`update duty set on_call = false where name = 'b'`);
          await rogue.query('commit');
          rogue.release();
        }
        codes.push(rows[0].on_call);
        return { result: null, written: Promise.resolve() };
      },
    });
    expect(all.attempts).toEqual({ begun: 2, committed: 1, conflicts: 1 });
    expect(codes).toEqual([2, 1]);
  });
});
