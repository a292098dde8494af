import type { UserRow } from '../ledger/rows.ts';
import { changeZone } from '../rules/zone.ts';
import type { EventCommand } from './command.ts';

/**
 * The user after the update that came with the event: absent fields stay, empty ones are cleared. A zone that was reported
 * before what is stored, and comes after it, is taken as reported now, so that no zone that was in force is forgotten.
 */
export function withProfile(user: UserRow, command: EventCommand): UserRow {
  const { name, email, tz, attributes } = command.profile;
  return {
    ...user,
    name: name === undefined ? user.name : name || null,
    email: email === undefined ? user.email : email || null,
    zones: tz === undefined ? user.zones : changeZone(user.zones, tz, Math.max(command.receivedAt, user.updatedAt)),
    attributes: attributes === undefined ? user.attributes : merge(user.attributes, attributes),
  };
}

function merge(stored: UserRow['attributes'], given: UserRow['attributes']): UserRow['attributes'] {
  const merged = new Map([...Object.entries(stored), ...Object.entries(given)]);
  return Object.fromEntries([...merged].filter(([, value]) => value !== ''));
}
