import { Code } from '@connectrpc/connect';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { v7 } from 'uuid';
import { type EventCommand, laneOf } from '../../src/commands/command.ts';
import type { JobQueue } from '../../src/queue/backend.ts';
import { sendJob } from '../../src/queue/coalesce.ts';
import { JOB, JOB_OPTIONS, type Job, jobId } from '../../src/queue/jobs.ts';
import { describeOnBackends } from '../support/backends.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import {
  clientsOf,
  environment,
  type GuerdonProcess,
  spawnGuerdon,
  startGuerdon,
  type TestGuerdon,
} from '../support/guerdon.ts';
import { balancesOf, expectSound } from '../support/ledger.ts';
import { loadBalances, startLoad } from '../support/load.ts';
import { until } from '../support/wait.ts';

const times = (count: number) => Array.from({ length: count }, (_, index) => index);

describeOnBackends('jobs', (kind) => {
  it('one event through two API processes, 100 times at once: applied once, and everybody is answered', async () => {
    const database = await createDatabase();
    const api = () => spawnGuerdon(environment(database, kind, { GUERDON_ROLE: 'api' }));
    const worker = await spawnGuerdon(environment(database, kind, { GUERDON_ROLE: 'worker' }));
    const apis = await Promise.all([api(), api()]);
    const clients = apis.map(({ grpcPort }) => clientsOf(grpcPort).events);
    const event = { metricKey: 'lessons', user: { id: 'ada' }, value: '1', idempotencyKey: 'k' };
    const answers = await Promise.all(times(100).map((index) => clients[index % 2]?.sendEvent(event)));
    expect(answers.filter((answer) => !answer?.idempotentReplayed)).toHaveLength(1);
    expect(new Set(answers.map((answer) => answer?.eventId)).size).toBe(1);
    expect(await balancesOf(database, 'xp')).toEqual({ ada: 10 });
    await Promise.all([...apis, worker].map((guerdon) => guerdon.end()));
    await expectSound(database);
    await database.drop();
  });

  it('a worker killed with jobs in hand: another one finishes them, and callers need not even repeat', async () => {
    const database = await createDatabase();
    const api = await spawnGuerdon(environment(database, kind, { GUERDON_ROLE: 'api' }));
    const worker = () => spawnGuerdon(environment(database, kind, { GUERDON_ROLE: 'worker' }));
    const workers: GuerdonProcess[] = await Promise.all([worker(), worker()]);
    const clients = clientsOf(api.grpcPort);
    const size = { count: 900, users: 25 };
    const load = startLoad(() => clients, size);
    for (const mark of [200, 500]) {
      await until(() => load.answered >= mark, { what: `${mark} answers` });
      await workers.shift()?.end('SIGKILL');
      workers.push(await worker());
    }
    await load.done;
    expect(await balancesOf(database, 'xp')).toEqual(loadBalances(size));
    await Promise.all([api, ...workers].map((guerdon) => guerdon.end()));
    await expectSound(database);
    await database.drop();
  }, 120_000);
});

describeOnBackends('commands put into jobs by hand', (kind) => {
  let guerdon: TestGuerdon;
  let queue: JobQueue;
  let ids: { project: string; lessons: string; commits: string };
  beforeAll(async () => {
    guerdon = await startGuerdon(kind);
    queue = guerdon.running.context.backend.queue();
    const { rows } = await guerdon.database.pool.query(`select p.id as project,
      (select id from metrics where key = 'lessons') as lessons, (select id from metrics where key = 'commits') as commits
      from projects p`);
    ids = rows[0];
  });
  afterAll(async () => {
    await queue.close();
    await guerdon.close();
  });

  const command = (user: string, key: string, metricId = ids.lessons): EventCommand => ({
    kind: 'event',
    id: v7(),
    projectId: ids.project,
    user,
    profile: {},
    metricId,
    value: '1',
    attributes: {},
    key,
    occurredAt: 0,
    occurredAtSent: false,
    receivedAt: 0,
  });
  const send = (...commands: EventCommand[]) => sendJob(queue, { commands });
  const applied = (database: TestDatabase, count: number) =>
    until(async () => (await database.pool.query('select from events')).rowCount === count, {
      what: `${count} events`,
    });

  it('two jobs that begin with the same key both arrive, and the key counts once', async () => {
    await Promise.all([
      send(command('ada', 'k'), command('ada', 'left')),
      send(command('ada', 'k'), command('ada', 'right')),
      send(command('ada', 'k', ids.commits)),
    ]);
    await applied(guerdon.database, 4);
    expect((await guerdon.points.getUserPoints({ userId: 'ada', systemKey: 'xp' })).total).toBe(40n);
    await expectSound(guerdon.database);
  });

  it('one that cannot be applied is set aside alone, its call is answered, and its neighbours are applied', async () => {
    const poison = command('eve', 'poison', '999999');
    await send(command('eve', 'before'), poison, command('eve', 'after'), command('eve', 'last'));
    await applied(guerdon.database, 7);
    await until(async () => (await guerdon.database.pool.query('select from poisoned')).rowCount === 1, {
      what: 'the poison to be set aside',
    });
    const { rows } = await guerdon.database.pool.query('select id, error from poisoned');
    expect(rows).toEqual([{ id: poison.id, error: expect.stringContaining('metric_totals') }]);
    expect((await guerdon.points.getUserPoints({ userId: 'eve', systemKey: 'xp' })).total).toBe(30n);
    await send(poison);
    await send(command('eve', 'more'));
    await applied(guerdon.database, 8);
    expect((await guerdon.database.pool.query('select from poisoned')).rowCount).toBe(1);
  });

  it('of a job that meets a lane held elsewhere only what is not applied is tried again', async () => {
    const { pool } = guerdon.database;
    const { lanes } = guerdon.running.context;
    const before = (await pool.query('select from events')).rowCount as number;
    const commands = ['noa', ...times(50).map((index) => `liv${index}`)].map((user) => command(user, 'k'));
    const held = laneOf(commands[0] as EventCommand, lanes);
    const free = commands.filter((one) => laneOf(one, lanes) !== held).length;
    const holder = await pool.connect();
    await holder.query('select pg_advisory_lock(1735750770, $1)', [held]);
    await send(...commands);
    const there = queue as unknown as { getJob(id: string): Promise<{ data: Job }> };
    const left = async () => (await there.getJob(jobId(commands))).data.commands.length;
    await until(async () => (await left()) === commands.length - free, { what: 'the job to hold only what is left' });
    await applied(guerdon.database, before + free);
    await holder.query('select pg_advisory_unlock_all()');
    holder.release();
    await applied(guerdon.database, before + commands.length);
  });

  it('a job that fails for good leaves its name free: queued again, it is applied once, and a call gets its answer', async () => {
    const { pool } = guerdon.database;
    const before = (await pool.query('select from events')).rowCount as number;
    await pool.query(`create function disk_full() returns trigger language plpgsql as $$
      begin raise exception 'disk full' using errcode = 'disk_full'; end $$`);
    await pool.query('create trigger disk_full before insert on events execute function disk_full()');
    const job = { commands: [command('ivy', 'k'), command('ivy', 'l')] };
    const name = jobId(job.commands);
    await queue.add(JOB, job, { ...JOB_OPTIONS, attempts: 1, jobId: name });
    const call = guerdon.events.sendEvent({
      metricKey: 'lessons',
      user: { id: 'ivy' },
      value: '1',
      idempotencyKey: 'm',
    });
    const there = queue as unknown as { getJob(id: string): Promise<unknown> };
    await until(async () => (await there.getJob(name)) === undefined, { what: 'the job to fail for good' });
    await pool.query('drop trigger disk_full on events');
    await Promise.all([sendJob(queue, job), sendJob(queue, job)]);
    expect((await call).idempotentReplayed).toBe(false);
    await applied(guerdon.database, before + 3);
    expect((await guerdon.points.getUserPoints({ userId: 'ivy', systemKey: 'xp' })).total).toBe(30n);
    expect((await pool.query('select from poisoned')).rowCount).toBe(1);
  });

  it('while the database refuses, calls wait or end by their deadline; after that, everything is applied once', async () => {
    const { pool } = guerdon.database;
    await pool.query('alter table events rename to events_away');
    const call = (timeoutMs: number) =>
      guerdon.events
        .sendEvent({ metricKey: 'lessons', user: { id: 'patient' }, value: '1', idempotencyKey: 'k' }, { timeoutMs })
        .then(
          (answer) => answer.idempotentReplayed,
          (error) => error.code as Code,
        );
    const failed = await call(700);
    expect([Code.DeadlineExceeded, Code.Internal]).toContain(failed);
    await pool.query('alter table events_away rename to events');
    await pool.query('delete from poisoned');
    expect(typeof (await call(20_000))).toBe('boolean');
    expect((await guerdon.points.getUserPoints({ userId: 'patient', systemKey: 'xp' })).total).toBe(10n);
  });
});

it('an account that somebody has damaged stops its own user only, and no one waits for it for ever', async () => {
  const guerdon = await startGuerdon();
  const lesson = (user: string) => guerdon.events.sendEvent({ metricKey: 'lessons', user: { id: user }, value: '1' });
  await lesson('ada');
  const client = await guerdon.database.pool.connect();
  await client.query('begin');
  await client.query('set local session_replication_role = replica');
  await client.query('update accounts set version = 0, balance = 0, earned = 0, hash = null');
  await client.query('commit');
  client.release();
  const many = [lesson('bob'), lesson('ada'), lesson('cyd'), lesson('dan'), lesson('eve')];
  const results = await Promise.allSettled(many);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
  expect((await guerdon.database.pool.query('select from poisoned')).rowCount).toBe(1);
  await guerdon.close();
});
