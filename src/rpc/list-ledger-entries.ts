import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { EntryKind, PointsService } from '../gen/guerdon/v1/points_service_pb.ts';
import { entriesOf, userIdOf } from '../ledger/balance.ts';
import type { EntryKind as StoredKind } from '../ledger/rows.ts';
import { route } from './call.ts';
import { currentProgram, systemOf, userUnknown } from './lookup.ts';
import { pageCursor, pageSize, pageToken } from './page.ts';

const KIND: Record<StoredKind, EntryKind> = {
  award: EntryKind.AWARD,
  spend: EntryKind.SPEND,
  adjust: EntryKind.ADJUST,
};

export const listLedgerEntries = route(
  PointsService.method.listLedgerEntries,
  (request) => [request.userId],
  async (call, request) => {
    const { pool } = call.api.context;
    const system = systemOf(await currentProgram(call), request.systemKey);
    const userId = await userIdOf(pool, call.projectId, request.userId);
    if (userId === undefined) throw userUnknown(request.userId);
    const list = `entries ${userId} ${system.id}`;
    const beforeVersion = pageCursor(list, request.pageToken, /^[0-9]{1,18}$/);
    const size = pageSize(request.pageSize);
    const found = await entriesOf(pool, userId, system.id, { beforeVersion, limit: size + 1 });
    const entries = found.slice(0, size);
    return {
      entries: entries.map((entry) => ({
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
      })),
      nextPageToken: found.length > size ? pageToken(list, String(entries.at(-1)?.version)) : '',
    };
  },
);
