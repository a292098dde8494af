import { expect, it } from '@jest/globals';
import { dueUsers } from '../../src/commands/due.ts';
import { createDatabase } from '../support/database.ts';

it('what is due in archived projects does not keep others from being settled', async () => {
  const database = await createDatabase();
  await database.pool.query(`
    insert into projects (key, name, time_zone, created_at, archived_at)
      values ('gone', 'Gone', 'UTC', now(), now()), ('live', 'Live', 'UTC', now(), null);
    insert into users (project_id, external_id, created_at, updated_at)
      select p.id, p.key || n, now(), now() from projects p, generate_series(1, 3) n where p.key in ('gone', 'live');
    insert into clocks (user_id, system_id, settled_at, running, due_at)
      select u.id, 1, '2024-01-01', '{}', timestamptz '2024-01-02' + u.id * interval '1 hour' from users u`);
  const due = await dueUsers(database.pool, Date.parse('2024-02-01'), 2);
  expect(due.map(({ user }) => user).sort()).toEqual(['live1', 'live2']);
  await database.drop();
});
