import { expect, it } from '@jest/globals';
import type { EventCommand } from '../../src/commands/command.ts';
import { withProfile } from '../../src/commands/profile.ts';
import type { UserRow } from '../../src/ledger/rows.ts';
import { localDate, zoneAt } from '../../src/rules/zone.ts';

const T = Date.parse('2026-11-24T22:30Z');

function report(user: UserRow, tz: string, receivedAt: number, appliedAt: number): UserRow {
  const command = { profile: { tz }, receivedAt } as EventCommand;
  return { ...withProfile(user, command), updatedAt: appliedAt };
}

it('a zone that was reported earlier and is applied later takes no day back', () => {
  const nobody = { zones: [], attributes: {}, updatedAt: 0 } as unknown as UserRow;
  const london = report(nobody, 'Europe/London', T - 1e9, T - 1e9);
  const athens = report(london, 'Europe/Athens', T, T + 2);
  const today = (user: UserRow, at: number) => localDate(at, zoneAt(user.zones, at) as string);
  expect(today(athens, T + 10)).toBe('2026-11-25');
  const late = report(athens, 'Europe/London', T - 5, T + 15);
  expect(today(late, T + 10)).toBe('2026-11-25');
  expect(today(late, T + 20)).toBe('2026-11-25');
});
