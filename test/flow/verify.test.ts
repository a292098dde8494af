import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Period } from '../../src/gen/guerdon/v1/types_pb.ts';
import { startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { Imports } from '../support/import-users.ts';
import { faultAfter } from '../support/ledger.ts';

let guerdon: TestGuerdon;
beforeAll(async () => {
  guerdon = await startGuerdon();
  for (let lesson = 1; lesson <= 5; lesson += 1) {
    await guerdon.events.sendEvent({ metricKey: 'lessons', user: { id: 'ada' }, value: '1' });
    await guerdon.events.sendEvent({ metricKey: 'files', user: { id: 'bob' }, value: '30' });
  }
  await guerdon.points.spendPoints({ userId: 'ada', systemKey: 'xp', amount: 5n, idempotencyKey: 's' });
  const limits = { awards: { most: 2n, per: Period.MONTH }, cooldown: { seconds: 1n } };
  const commits = { case: 'metric', value: { metricKey: 'commits', threshold: '1', limits } } as const;
  await guerdon.admin.createTriggers({ systemKey: 'coins', triggers: [{ key: 'limited', points: 1n, type: commits }] });
  for (const day of [1, 2, 3]) {
    const occurredAt = timestampFromMs(Date.parse(`2024-06-0${day}T12:00Z`));
    await guerdon.events.sendEvent({ metricKey: 'commits', user: { id: 'cleo' }, value: '1', occurredAt });
  }
  const filtered = { metricKey: 'files', threshold: '1', eventAttributes: [{ key: 'repo', value: 'a' }] };
  const type = { case: 'metric', value: filtered } as const;
  await guerdon.admin.createTriggers({ systemKey: 'coins', triggers: [{ key: 'filtered', points: 1n, type }] });
  const imports = new Imports(guerdon.database);
  const moved = {
    userId: 'moved',
    points: { xp: { balance: 70, earned: 90 } },
    metrics: { files: { total: 5, high: 8 } },
    triggers: { 'coins/filtered': { total: 2 } },
  };
  expect((await imports.run(await imports.ndjson([moved]))).counts).toEqual({ imported: 1 });
  await imports.clear();
  await guerdon.events.sendEvent({ metricKey: 'files', user: { id: 'moved' }, value: '1', attributes: { repo: 'a' } });
});
afterAll(() => guerdon.close());

describe('verify', () => {
  it('finds nothing where nothing is wrong', async () => {
    expect(await faultAfter(guerdon.database, 'select 1')).toBeUndefined();
  });

  const entry = 'entries where user_id = 1 and system_id = 1';
  it.each([
    [
      'a changed amount',
      `update ${entry.replace(' where', ' set amount = 11 where')} and version = 3`,
      /^entries \(1, 1, 3\): balance after is 30/,
    ],
    [
      'a changed amount and all that follows',
      'update entries set balance_after = balance_after + 1, amount = amount + (version = 2)::int where user_id = 1 and system_id = 1 and version > 1',
      /^entries \(1, 1, 2\): hash/,
    ],
    [
      'a changed count of a limit',
      `update trigger_usage set awards = 1 where slot = 'm:2024-06'`,
      /^trigger_usage \(\d+, [0-9a-f-]{36} m:2024-06\): is 1 awards of 2 points.*; its events give 2 awards/,
    ],
    [
      'a count of a limit taken out',
      `delete from trigger_usage where slot = 'm:2024-06'`,
      /m:2024-06\): is nothing; its events give 2 awards/,
    ],
    ['an entry taken out', `delete from ${entry} and version = 2`, /^entries \(1, 1, 3\): version is 3, it must be 2/],
    [
      'the last entry taken out',
      `delete from ${entry} and version = 6`,
      /^accounts \(1, 1\): version is 6, its entries give 5/,
    ],
    [
      'a changed balance',
      'update accounts set balance = 1000 where user_id = 1 and system_id = 1',
      /^accounts \(1, 1\): balance is 1000, its entries give 45/,
    ],
    [
      'changed points ever earned',
      'update accounts set earned = 1000 where user_id = 1 and system_id = 1',
      /^accounts \(1, 1\): earned is 1000/,
    ],
    [
      'a moved instant',
      "update entries set occurred_at = occurred_at - interval '1 day' where user_id = 1 and system_id = 1 and version = 4",
      /^entries \(1, 1, 4\): hash/,
    ],
    [
      'a changed event',
      'update events set value = 2, total_after = total_before + 2, high_after = high_before + 2 where user_id = 1 and seq = 5',
      /^events \(1, .*\): hash/,
    ],
    [
      'a changed decision',
      `update events set decision = jsonb_set(decision, '{fired,0,amount}', '"99"') where user_id = 1 and seq = 2`,
      /^events \(1, .*\): hash/,
    ],
    [
      'an event taken out',
      'delete from events where user_id = 1 and seq = 2',
      /^events \(1, .*\): seq is 3, it must be 2/,
    ],
    [
      'the last event taken out',
      'delete from events where user_id = 1 and seq = 5',
      /^users \(1\): seq is 5, its events end at 4/,
    ],
    [
      'a changed total',
      'update metric_totals set total = 4 where user_id = 1',
      /^metric_totals \(1, \d+\): is 4, high 5; its events give 5, high 5/,
    ],
    [
      'another program',
      `update programs set snapshot = jsonb_set(snapshot, '{systems,0,triggers,0,points}', '"20"')`,
      /^events \(1, .*\): its program and inputs give another decision/,
    ],
    [
      'hashes of two entries exchanged',
      `update entries a set hash = b.hash from entries b where a.user_id = 1 and b.user_id = 1 and a.system_id = 1 and b.system_id = 1 and a.version in (2, 3) and b.version = 5 - a.version`,
      /^entries \(1, 1, 2\): hash/,
    ],
    [
      'only the second user wrong',
      'update accounts set balance = 0 where user_id > 1',
      /^accounts \(\d+, 2\): balance is 0/,
    ],
    [
      'a changed import',
      `update user_imports set content = jsonb_set(content, '{totals,0,total}', '"4"')`,
      /^user_imports \(\d+\): hash/,
    ],
    ['an import taken out', 'delete from user_imports', /^events \(\d+, .*\): total before is 5, .* left 0/],
    [
      'an imported user made older',
      `update users set created_at = created_at - interval '1 day' where external_id = 'moved'`,
      /^user_imports \(\d+\): its user was created at another instant/,
    ],
    [
      'more earned elsewhere',
      `update entries set earned = earned + 1 where kind = 'import'`,
      /^entries \(\d+, 1, 1\): hash/,
    ],
    [
      'a changed counter of a trigger',
      'update trigger_counters set total = 1 where high = 3',
      /^trigger_counters \(\d+, .*\): is 1, high 3; its events give 3, high 3/,
    ],
  ])('names the first wrong row after %s', async (_what, tampering, fault) => {
    expect(await faultAfter(guerdon.database, tampering)).toMatch(fault);
  });
});
