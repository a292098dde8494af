import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { v7 } from 'uuid';
import { applyEconomy, exportEconomy, planEconomy } from '../../src/commands/change-economy.ts';
import { type Orm, openOrm } from '../../src/db/orm.ts';
import type { Economy } from '../../src/program/economy.ts';
import { readEconomy } from '../../src/program/read.ts';
import { writeEconomy } from '../../src/program/write.ts';
import { anyEconomy } from '../program/any-economy.ts';
import { startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { expectSound } from '../support/ledger.ts';

let guerdon: TestGuerdon;
let orm: Orm;
let projectId: string;
beforeAll(async () => {
  guerdon = await startGuerdon();
  orm = await openOrm(guerdon.database.url);
  projectId = (await guerdon.database.pool.query('select id from projects')).rows[0].id;
});
afterAll(async () => {
  await orm.close(true);
  await expectSound(guerdon.database);
  await guerdon.close();
});

const author = () => ({ projectId, actor: 'test', now: Date.now(), uuid: () => v7() });
const current = async () => (await exportEconomy(orm, projectId)).economy;

/** The economy in which a lesson gives so many xp. */
function lessonsGive(economy: Economy, points: number): Economy {
  return {
    ...economy,
    systems: economy.systems.map((system) => ({
      ...system,
      triggers: system.triggers.map((trigger) =>
        system.key === 'xp' && trigger.key === 'lesson' ? { ...trigger, points: String(points) } : trigger,
      ),
    })),
  };
}

describe('an economy', () => {
  it('is exported as a file that plans to nothing', async () => {
    const { economy } = readEconomy(writeEconomy(await current()));
    expect((await planEconomy(orm, projectId, economy as Economy)).changes).toEqual([]);
  });

  it('that is applied counts from the next event on, and pays nothing for the past', async () => {
    const lesson = () => guerdon.events.sendEvent({ metricKey: 'lessons', user: { id: 'ada' }, value: '1' });
    expect((await lesson()).points.xp?.added).toBe(10n);
    const applied = await applyEconomy(orm, author(), lessonsGive(await current(), 20));
    expect(applied).toMatchObject({
      outcome: 'applied',
      changes: [
        {
          action: 'update',
          kind: 'trigger',
          key: 'xp/lesson',
          fields: [{ field: 'points', before: '10', after: '20' }],
        },
      ],
    });
    expect((await lesson()).points.xp).toMatchObject({ added: 20n, total: 30n });
  });

  it('that is applied again changes nothing, not even the number of the program', async () => {
    const { economy, version } = await exportEconomy(orm, projectId);
    expect(await applyEconomy(orm, author(), economy)).toMatchObject({ changes: [], version });
  });

  it('of two at once that start from one plan: one wins, the other is told', async () => {
    const { economy, version: expectedVersion } = await exportEconomy(orm, projectId);
    const outcomes = await Promise.all(
      [30, 40].map((points) => applyEconomy(orm, author(), lessonsGive(economy, points), { expectedVersion })),
    );
    expect(outcomes.map((applied) => applied.outcome).sort()).toEqual(['applied', 'moved_on']);
    expect(outcomes.find((applied) => applied.outcome === 'moved_on')).toMatchObject({ version: expectedVersion + 1 });
  });

  it('that would strand data says what, and is applied only when told so', async () => {
    await guerdon.events.sendEvent({ metricKey: 'files', user: { id: 'bob' }, value: '45', idempotencyKey: 'k' });
    const before = await current();
    const without = { ...before, systems: before.systems.filter((system) => system.key !== 'coins') };
    const stranded = [{ kind: 'points_system', key: 'coins', what: '1 users hold 10 points in it' }];
    expect(await applyEconomy(orm, author(), without)).toMatchObject({ outcome: 'strands', stranded });
    expect(await applyEconomy(orm, author(), without, { allowStranding: true })).toMatchObject({ outcome: 'applied' });
    await expect(guerdon.points.getUserPoints({ userId: 'bob', systemKey: 'coins' })).rejects.toThrow(
      'no points system',
    );
    const repeat = { metricKey: 'files', user: { id: 'bob' }, value: '45', idempotencyKey: 'k' };
    expect(await guerdon.events.sendEvent(repeat)).toMatchObject({
      idempotentReplayed: true,
      points: { coins: { added: 10n } },
    });
    await applyEconomy(orm, author(), before);
    expect((await guerdon.points.getUserPoints({ userId: 'bob', systemKey: 'coins' })).total).toBe(10n);
  });

  it('that changes while 64 calls are in flight: every event is decided by exactly one program, and says which', async () => {
    const events = Array.from({ length: 400 }, (_, index) => ({
      metricKey: 'lessons',
      user: { id: `racer${index % 20}` },
      value: '1',
      idempotencyKey: `k${index}`,
    }));
    const points = new Map<bigint, bigint>();
    let next = 0;
    const sender = async (): Promise<void> => {
      while (next < events.length) {
        const event = events[next] as (typeof events)[number];
        next += 1;
        const answer = await guerdon.events.sendEvent(event);
        const stored = await guerdon.events.getEvent({ lookup: { case: 'eventId', value: answer.eventId } });
        const { programVersion } = stored.event as { programVersion: bigint };
        const added = answer.points.xp?.added as bigint;
        expect(points.get(programVersion) ?? added).toBe(added);
        points.set(programVersion, added);
      }
    };
    const changer = async (): Promise<void> => {
      for (let amount = 100; next < events.length; amount += 1) {
        const applied = await applyEconomy(orm, author(), lessonsGive(await current(), amount));
        points.set(BigInt(applied.version), BigInt(amount));
      }
    };
    await Promise.all([...Array.from({ length: 64 }, sender), changer()]);
    expect(points.size).toBeGreaterThan(2);
  });

  it('leaves every change in an audit log that cannot be changed', async () => {
    const { pool } = guerdon.database;
    const { rows } = await pool.query(`select actor, action, kind, key, fields, program_version from audit
      where key = 'xp/lesson' order by id`);
    expect(rows[0]).toMatchObject({ actor: 'setup', action: 'create', kind: 'trigger', program_version: 1 });
    expect(rows[1]).toMatchObject({
      actor: 'test',
      action: 'update',
      fields: [{ field: 'points', before: '10', after: '20' }],
      program_version: 2,
    });
    await expect(pool.query('delete from audit')).rejects.toThrow('append-only');
  });

  it('whatever it is, plans to nothing once it is applied', async () => {
    await fc.assert(
      fc.asyncProperty(anyEconomy(), async (economy) => {
        await applyEconomy(orm, author(), economy, { allowStranding: true });
        const exported = readEconomy(writeEconomy(await current())).economy as Economy;
        expect((await planEconomy(orm, projectId, exported)).changes).toEqual([]);
        expect((await planEconomy(orm, projectId, economy)).changes).toEqual([]);
      }),
      { seed: 5, numRuns: 25 },
    );
  }, 120_000);
});
