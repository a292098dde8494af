import type { Client } from '../db/pool.ts';
import { type AskedUsage, findUsage, findZones } from '../ledger/usage.ts';
import type { ProgramIndex } from '../rules/program.ts';
import { slotsOf } from '../rules/quota.ts';
import type { Usage, ZonePeriod } from '../rules/types.ts';
import { changeZone, zoneAt } from '../rules/zone.ts';
import { type Command, distinctUsers, type EventCommand } from './command.ts';
import { userKey } from './state.ts';

/**
 * What triggers with limits have paid the users of these commands, in all slots that the commands may count in. Read under
 * the lane's lock, before the transaction: nobody else can write it meanwhile.
 */
export async function readUsage(
  client: Client,
  commands: readonly Command[],
  programs: ReadonlyMap<string, ProgramIndex>,
): Promise<Map<string, Map<string, Usage>>> {
  const limited = commands.filter(
    (command): command is EventCommand =>
      command.kind === 'event' &&
      (programs.get(command.projectId)?.byMetric.get(command.metricId)?.limited.length ?? 0) > 0,
  );
  if (limited.length === 0) return new Map();
  const histories = await findZones(client, distinctUsers(limited));
  const possible = new Map([...histories].map(([user, zones]) => [user, [zones]]));
  const asked = limited.flatMap((command) =>
    askFor(command, programs.get(command.projectId) as ProgramIndex, possible),
  );
  return findUsage(client, asked);
}

/**
 * An event may change the user's zone, unless it is refused: slots of both are asked for, and so on for the events that
 * follow it.
 */
function askFor(
  command: EventCommand,
  index: ProgramIndex,
  possible: Map<string, (readonly ZonePeriod[])[]>,
): AskedUsage[] {
  const user = userKey(command);
  const { tz } = command.profile;
  const before = possible.get(user) ?? [[]];
  const after = tz === undefined ? [] : before.map((zones) => changeZone(zones, tz, command.receivedAt));
  const histories = [...before, ...after];
  possible.set(user, distinct(histories));
  const zones = histories.map((history) => zoneAt(history, command.occurredAt) ?? index.program.timeZone);
  return (index.byMetric.get(command.metricId)?.limited ?? []).map((trigger) => ({
    projectId: command.projectId,
    externalId: command.user,
    triggerId: trigger.id,
    slots: [...new Set(zones.flatMap((zone) => slotsOf(trigger, command.occurredAt, zone, command.attributes)))],
  }));
}

function distinct(histories: readonly (readonly ZonePeriod[])[]): (readonly ZonePeriod[])[] {
  return [...new Map(histories.map((zones) => [JSON.stringify(zones), zones])).values()];
}
