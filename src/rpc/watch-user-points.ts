import { PointsService } from '../gen/guerdon/v1/points_service_pb.ts';
import { entriesAfter, userBalance } from '../ledger/balance.ts';
import type { Account, System } from '../rules/types.ts';
import { streamRoute } from './call.ts';
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
    const { projectId } = call;
    let index = await currentProgram(call);
    let system = systemOf(index, request.systemKey);
    const user = await userBalance(pool, { projectId, externalId: request.userId, systemId: system.id });
    if (user === undefined) throw userUnknown(request.userId);
    const { userId } = user;
    let account: Account = user;
    yield accountMessage(system, account);
    for (;;) {
      const seen = { projectId, userId, systemId: system.id, version: account.version };
      index = await call.api.watch.changed({ ...seen, programVersion: index.program.version }, signal);
      system = systemOf(index, request.systemKey);
      // A full page may not be the last one.
      for (let full = true; full; ) {
        const page = { version: account.version, limit: ENTRIES_MAX };
        const entries = await entriesAfter(pool, userId, system.id, page);
        for (const entry of entries) {
          const earned = entry.amount > 0n ? account.earned + entry.amount : account.earned;
          account = { balance: entry.balanceAfter, earned, version: entry.version };
          yield { ...accountMessage(system, account), entry: entryMessage(entry) };
        }
        full = entries.length === ENTRIES_MAX;
      }
    }
  },
);

function accountMessage(system: System, account: Account) {
  return { total: account.balance, version: account.version, ...levels(system, account) };
}
