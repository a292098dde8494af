import type { UserRow } from '../ledger/rows.ts';
import type { Instant } from '../rules/types.ts';
import { changeZone } from '../rules/zone.ts';
import type { CompleteCommand, EventCommand, ImportCommand, UserCommand } from './command.ts';
import { type State, userKey } from './state.ts';
import { reviewRuns } from './streaks.ts';

type ProfileCommand = EventCommand | UserCommand | CompleteCommand | ImportCommand;

/**
 * The user after the update that the command brings: absent fields stay, empty ones are cleared. A zone that was reported
 * before what is stored, and comes after it, forgets none that is in force.
 */
export function withProfile(user: UserRow, command: ProfileCommand, at: ProfileAt): UserRow {
  const { name, email, tz, attributes, deviceTokens } = command.profile;
  return {
    ...user,
    name: name === undefined ? user.name : name || null,
    email: email === undefined ? user.email : email || null,
    zones: tz === undefined ? user.zones : withZone(user, tz, command.receivedAt, at),
    attributes: attributes === undefined ? user.attributes : merge(user.attributes, attributes),
    deviceTokens: deviceTokens === undefined ? user.deviceTokens : deviceTokens.length === 0 ? null : deviceTokens,
  };
}

/** What a change of a user depends on besides: the instant when it is applied, and the project's zone. */
export interface ProfileAt {
  now: Instant;
  projectZone: string;
}

/** Who was known without a zone has lived in the project's, so that giving one opens no window again. */
function withZone(user: UserRow, tz: string, receivedAt: Instant, { now, projectZone }: ProfileAt): UserRow['zones'] {
  const { zones, createdAt } = user;
  const lived = zones.length > 0 || createdAt === null ? zones : [{ from: createdAt, zone: projectZone }];
  return changeZone(lived, tz, receivedAt, Math.max(receivedAt, now));
}

function merge(stored: UserRow['attributes'], given: UserRow['attributes']): UserRow['attributes'] {
  const merged = new Map([...Object.entries(stored), ...Object.entries(given)]);
  return Object.fromEntries([...merged].filter(([, value]) => value !== ''));
}

/** Keeps the user as changed by the command, and has windows of days and ends of streaks resolved anew where the zone changed. */
export function saveUser(state: State, user: UserRow, command: ProfileCommand): void {
  const old = state.users.get(userKey(command)) as UserRow;
  if (old.createdAt !== null && JSON.stringify(old.zones) !== JSON.stringify(user.zones)) {
    state.postings.zoneChanges.push({ projectId: user.projectId, userId: user.id });
    reviewRuns(state, user);
  }
  const saved = { ...user, createdAt: user.createdAt ?? command.receivedAt, updatedAt: state.now };
  state.users.set(userKey(command), saved);
  state.changed.users.add(saved);
  if (old.createdAt === null || PROFILE.some((field) => saved[field] !== old[field])) {
    state.changed.profiles.add(userKey(command));
  }
}

/** All of a user's row but its chain of events. What a command does not touch is the same value still. */
const PROFILE = ['name', 'email', 'zones', 'attributes', 'deviceTokens', 'createdAt'] as const;
