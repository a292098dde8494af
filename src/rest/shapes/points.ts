import { create } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { boostsByIds } from '../../commands/boosts/find-boosts.ts';
import { awardId, idOf } from '../../contract-ids.ts';
import type { Award, Boost, EventPoints } from '../../gen/guerdon/v1/types_pb.ts';
import { BoostSchema } from '../../gen/guerdon/v1/types_pb.ts';
import { boostMessages } from '../../rpc/boosts/boost-message.ts';
import type { Call } from '../../rpc/call.ts';
import type { ProgramIndex } from '../../rules/program.ts';
import type { System } from '../../rules/types.ts';
import { badgeUrlShape } from './badge.ts';
import { boostShapes } from './boost.ts';
import { levelShape } from './level.ts';
import { triggerTeller } from './trigger.ts';

/** What every answer says of a points system. */
export function systemShape({ id, key, name, description, badgeUrl, maxPoints }: System) {
  return {
    id: idOf('points_system', id),
    key,
    name,
    description: description === '' ? null : description,
    badgeUrl: badgeUrlShape(badgeUrl),
    maxPoints: maxPoints === null ? null : Number(maxPoints),
  };
}

/** What an event or a completion did, by key of the points system, for the systems that the program has. */
export async function pointsShapes(
  call: Call,
  { systemByKey }: ProgramIndex,
  user: string,
  points: Readonly<Record<string, EventPoints>>,
) {
  const shapes = Object.entries(points).flatMap(([key, changed]) => {
    const system = systemByKey.get(key);
    if (system === undefined) return [];
    return [eventPointsShape(call, system, user, changed).then((shape) => [key, shape] as const)];
  });
  return Object.fromEntries(await Promise.all(shapes));
}

async function eventPointsShape(call: Call, system: System, user: string, points: EventPoints) {
  const { level } = points;
  return {
    ...systemShape(system),
    total: Number(points.total),
    added: Number(points.added),
    awards: await awardShapes(call, system, user, points.awards),
    ...(points.levelChanged && { level: level === undefined ? null : levelShape(system.id, level) }),
  };
}

/** Awards that made an entry of the ledger; of one that was withheld whole there is none. */
export async function awardShapes(call: Call, system: System, user: string, awards: readonly Award[]) {
  const posted = awards.filter(({ version }) => version !== undefined);
  const triggers = await (await triggerTeller(call, system)).byIds(posted.map(({ triggerId }) => triggerId));
  const boosts = await boostsOf(call, posted);
  return posted.map((award) => ({
    id: awardId(call.projectId, user, award.triggerId, award.version as bigint),
    awarded: Number(award.amount),
    date: award.occurredAt === undefined ? '' : timestampDate(award.occurredAt).toISOString(),
    total: Number(award.balanceAfter),
    trigger: triggers.get(award.triggerId),
    boosts: award.boosts.flatMap(({ id }) => boosts.get(id) ?? []),
  }));
}

async function boostsOf(call: Call, awards: readonly Award[]) {
  const ids = [...new Set(awards.flatMap(({ boosts }) => boosts.map(({ id }) => id)))];
  const shapes = await boostShapes(call, await boostsWith(call, ids));
  return new Map(shapes.map((shape) => [shape.id, shape]));
}

/** Boosts of the project by their ids, archived ones included. */
export async function boostsWith(call: Call, ids: readonly string[]): Promise<Boost[]> {
  if (ids.length === 0) return [];
  const messages = await boostMessages(call, await boostsByIds(call.api.context.pool, call.projectId, ids));
  return messages.map((message) => create(BoostSchema, message));
}
