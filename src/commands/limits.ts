import type { Queryable } from '../db/pool.ts';
import { type AskedUsage, findUsage, findZones } from '../ledger/usage.ts';
import type { ProgramIndex } from '../rules/program.ts';
import { slotsOf } from '../rules/quota.ts';
import type { Instant, Usage, ZonePeriod } from '../rules/types.ts';
import { type Command, distinctUsers, type EventCommand } from './command.ts';
import { userKey } from './state.ts';

/**
 * What triggers with limits have paid the users of these commands, in all slots that the commands may count in. Read under
 * the lane's lock, before the transaction: nobody else can write it meanwhile.
 */
export async function readUsage(
  client: Queryable,
  commands: readonly Command[],
  programs: ReadonlyMap<string, ProgramIndex>,
): Promise<Map<string, Map<string, Usage>>> {
  const limited = commands.filter(
    (command): command is EventCommand =>
      command.kind === 'event' &&
      (programs.get(command.projectId)?.touchedBy(command.metricId).limited.length ?? 0) > 0,
  );
  if (limited.length === 0) return new Map();
  const histories = await findZones(client, distinctUsers(limited));
  const reported = new Map<string, Set<string>>();
  for (const command of commands) {
    const tz = 'profile' in command ? command.profile.tz : undefined;
    if (tz !== undefined) reported.set(userKey(command), (reported.get(userKey(command)) ?? new Set()).add(tz));
  }
  const asked = limited.flatMap((command) => {
    const user = userKey(command);
    const known = [...inForce(histories.get(user) ?? [], command.occurredAt), ...(reported.get(user) ?? [])];
    return askFor(command, programs.get(command.projectId) as ProgramIndex, known);
  });
  return findUsage(client, asked);
}

/** The zone in force at an instant, and the one before it: a change that waits is forgotten when another is reported. */
function inForce(zones: readonly ZonePeriod[], at: Instant): string[] {
  const begun = zones.filter(({ from }, index) => index === 0 || from <= at);
  return begun.slice(-2).map(({ zone }) => zone);
}

/**
 * Slots are asked for in every zone that may be in force when the command is decided: the project's, the user's as far as
 * they are known, and any that a command of this batch reports.
 */
function askFor(command: EventCommand, index: ProgramIndex, known: readonly string[]): AskedUsage[] {
  const zones = [...new Set([index.program.timeZone, ...known])];
  return index.touchedBy(command.metricId).limited.map((trigger) => ({
    projectId: command.projectId,
    externalId: command.user,
    triggerId: trigger.id,
    slots: [...new Set(zones.flatMap((zone) => slotsOf(trigger, command.occurredAt, zone, command.attributes)))],
  }));
}
