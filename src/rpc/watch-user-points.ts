import { PointsService } from '../gen/guerdon/v1/points_service_pb.ts';
import { entriesAfter, userBalance } from '../ledger/balance.ts';
import type { Account, System } from '../rules/types.ts';
import { type Call, streamRoute } from './call.ts';
import { levels } from './convert.ts';
import { entryMessage } from './list-ledger-entries.ts';
import { currentProgram, systemOf, userUnknown } from './lookup.ts';

/** Entries that are read, and kept, at once for one caller. */
const ENTRIES_MAX = 100;

export const watchUserPoints = streamRoute(
  PointsService.method.watchUserPoints,
  (request) => [request.userId],
  async function* (call, request, signal) {
    const { pool } = call.api.context;
    let system = await systemNow(call, request.systemKey);
    const user = await userBalance(pool, call.projectId, request.userId, system.id);
    if (user === undefined) throw userUnknown(request.userId);
    const { userId } = user;
    let account: Account = user;
    yield accountMessage(system, account);
    for (;;) {
      await call.api.watch.changed({ userId, systemId: system.id, seen: account.version }, signal);
      system = await systemNow(call, request.systemKey);
      const page = { version: account.version, limit: ENTRIES_MAX };
      for (const entry of await entriesAfter(pool, userId, system.id, page)) {
        const earned = entry.amount > 0n ? account.earned + entry.amount : account.earned;
        account = { balance: entry.balanceAfter, earned, version: entry.version };
        yield { ...accountMessage(system, account), entry: entryMessage(entry) };
      }
    }
  },
);

async function systemNow(call: Call, key: string): Promise<System> {
  return systemOf(await currentProgram(call), key);
}

function accountMessage(system: System, account: Account) {
  return { total: account.balance, version: account.version, ...levels(system, account) };
}
