import { expect, it } from '@jest/globals';
import type { EventCommand } from '../../src/commands/command.ts';
import { withProfile } from '../../src/commands/profile.ts';
import type { UserRow } from '../../src/ledger/rows.ts';
import { localDate, zoneAt } from '../../src/rules/zone.ts';

const T = Date.parse('2026-11-24T22:30Z');

function report(user: UserRow, tz: string, receivedAt: number, appliedAt: number): UserRow {
  const command = { profile: { tz }, receivedAt } as EventCommand;
  return {
    ...withProfile(user, command, { now: appliedAt, projectZone: 'UTC' }),
    createdAt: user.createdAt ?? receivedAt,
    updatedAt: appliedAt,
  };
}

it('a zone that was reported earlier and is applied later takes no day back', () => {
  const nobody = { zones: [], attributes: {}, createdAt: null, updatedAt: 0 } as unknown as UserRow;
  const london = report(nobody, 'Europe/London', T - 1e9, T - 1e9);
  const athens = report(london, 'Europe/Athens', T, T + 2);
  const today = (user: UserRow, at: number) => localDate(at, zoneAt(user.zones, at) as string);
  expect(today(athens, T + 10)).toBe('2026-11-25');
  const late = report(athens, 'Europe/London', T - 5, T + 15);
  expect(today(late, T + 10)).toBe('2026-11-25');
  expect(today(late, T + 20)).toBe('2026-11-25');
});

it('a first zone, given late, opens no day again that was over in the project’s', () => {
  const known = { zones: [], attributes: {}, createdAt: T - 1e9, updatedAt: T - 1e9 } as unknown as UserRow;
  const west = report(known, 'Pacific/Pago_Pago', T + 2 * 3_600_000, T + 2 * 3_600_000);
  let latest = '';
  for (let at = T - 86_400_000; at < T + 3 * 86_400_000; at += 1_800_000) {
    const today = localDate(at, zoneAt(west.zones, at) as string);
    expect(today >= latest).toBe(true);
    latest = today;
  }
  expect(zoneAt(west.zones, T + 3 * 86_400_000)).toBe('Pacific/Pago_Pago');
});

it('takes effect at its own instant, whatever else of the user was applied just before', () => {
  const known = { zones: [], attributes: {}, createdAt: T - 50, updatedAt: T + 400 } as unknown as UserRow;
  const east = report(known, 'Asia/Tokyo', T, T + 400);
  expect(zoneAt(east.zones, T)).toBe('Asia/Tokyo');
  expect(zoneAt(east.zones, T - 1)).toBe('UTC');
});
