import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { EntryKind, PointsService } from '../gen/guerdon/v1/points_service_pb.ts';
import { entriesOf, type StoredEntry } from '../ledger/balance.ts';
import type { EntryKind as StoredKind } from '../ledger/rows.ts';
import { route } from './call.ts';
import { checkInstants, pageCursor, pageSize, pageToken } from './page.ts';
import { userAndSystem } from './user-system.ts';

const KIND: Record<StoredKind, EntryKind> = {
  award: EntryKind.AWARD,
  spend: EntryKind.SPEND,
  adjust: EntryKind.ADJUST,
  reward: EntryKind.REWARD,
  import: EntryKind.IMPORT,
};
const KIND_NAMES = Object.keys(KIND) as StoredKind[];

export const listLedgerEntries = route(
  PointsService.method.listLedgerEntries,
  (request) => [request.userId],
  async (call, request) => {
    checkInstants({ since: request.since, until: request.until });
    const { pool } = call.api.context;
    const { userId, system } = await userAndSystem(call, request);
    const kinds = request.kinds.flatMap((kind) => KIND_NAMES.filter((name) => KIND[name] === kind));
    const since = request.since === undefined ? null : timestampMs(request.since);
    const until = request.until === undefined ? null : timestampMs(request.until);
    const list = JSON.stringify(['entries', userId, system.id, kinds, since, until]);
    const beforeVersion = pageCursor(list, request.pageToken, /^[0-9]{1,18}$/);
    const size = pageSize(request.pageSize);
    const found = await entriesOf(pool, userId, system.id, { beforeVersion, limit: size + 1, kinds, since, until });
    const entries = found.slice(0, size);
    return {
      entries: entries.map(entryMessage),
      nextPageToken: found.length > size ? pageToken(list, String(entries.at(-1)?.version)) : '',
    };
  },
);

export function entryMessage(entry: StoredEntry) {
  return {
    version: entry.version,
    kind: KIND[entry.kind],
    amount: entry.amount,
    balanceAfter: entry.balanceAfter,
    eventId: entry.eventId ?? '',
    triggerId: entry.triggerId ?? '',
    createdAt: timestampFromMs(entry.createdAt),
    occurredAt: timestampFromMs(entry.occurredAt),
    reason: entry.reason ?? '',
    idempotencyKey: entry.key ?? '',
  };
}
