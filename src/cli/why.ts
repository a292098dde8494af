import { type ExplainedAward, type ExplainedTrigger, type Explanation, explain } from '../commands/explain.ts';
import type { Config } from '../config.ts';
import { createPool } from '../db/pool.ts';
import { Programs } from '../db/programs.ts';
import { refusalError } from '../errors.ts';
import { eventById, type StoredEvent } from '../ledger/stored-events.ts';
import { formatDecimal } from '../rules/decimal.ts';
import { lengthOf } from '../rules/streak.ts';
import { withDatabase } from './database.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Prints why an event, by its id, gave what it gave. */
export async function whyCommand(config: Config, id: string): Promise<void> {
  if (!UUID.test(id)) throw new Error(`${JSON.stringify(id)} is not the id of an event, which is a UUID`);
  await withDatabase(config, async (url) => {
    const pool = createPool({ url, max: 1, name: 'guerdon-why', onError: () => {} });
    try {
      const { rows } = await pool.query(
        `select u.project_id from users u join (select user_id from events where id = $1
        union select user_id from refusals where id = $1) e on e.user_id = u.id`,
        [id],
      );
      const projectId: string | undefined = rows[0]?.project_id;
      const event = projectId === undefined ? undefined : await eventById(pool, projectId, id);
      if (projectId === undefined || event === undefined) throw new Error(`no event ${id} is stored`);
      const { rows: metrics } = await pool.query('select key from metrics where id = $1', [event.metricId]);
      const explanation = await explain(pool, new Programs(), projectId, event);
      const { triggers, zone } = explanation;
      const told = [...heading(event, metrics[0].key, zone), ...around(explanation), ...triggers.flatMap(lines)];
      process.stdout.write(`${told.join('\n')}\n`);
    } finally {
      await pool.end();
    }
  });
}

function heading(event: StoredEvent, metric: string, zone: string | null): string[] {
  const { outcome } = event;
  const at = new Date(event.occurredAt).toISOString();
  const head = [
    `event ${event.id}: ${event.value} ${metric} by ${JSON.stringify(event.user)} at ${at}`,
    `  decided by program ${event.programVersion}${zone === null ? '' : `, days read in ${zone}`}`,
  ];
  if (outcome.status === 'refused')
    return [...head, `  refused: ${refusalError(outcome.code, outcome.detail).message}`];
  return [...head, `  total ${outcome.totalBefore} → ${outcome.totalAfter}`];
}

/** What happened with the event besides what triggers did: before it, by it, and after it. */
function around({ index, ticks, streak, completed, rewards }: Explanation): string[] {
  const systemKey = (id: string) => index.systemById.get(id)?.key ?? id;
  return [
    ...ticks.map(
      (run) =>
        `  before it ${run.fires} ticks of ${systemKey(run.systemId)}/${index.triggerById.get(run.triggerId)?.key ?? run.triggerId} were due, ` +
        `the last at ${new Date(run.at).toISOString()}: ${run.amount} as entry ${run.version}`,
    ),
    ...(streak === null ? [] : [`  its streak is ${lengthOf(streak.after)} periods long`]),
    ...completed.map(
      ({ achievementId, backdated }) =>
        `  completed ${index.achievementById.get(achievementId)?.key ?? achievementId}${backdated ? ', which the user had reached before' : ''}`,
    ),
    ...rewards.map(
      ({ systemId, levelKey, targetId, amount, version }) =>
        `  level ${systemKey(systemId)}/${levelKey} gave ${amount} ${systemKey(targetId)}${version === null ? '' : ` as entry ${version}`}`,
    ),
  ];
}

const WHY = {
  inactive: 'it was inactive',
  event_attributes: 'an attribute of the event did not match',
  user_attributes: 'an attribute of the user did not match',
  below_threshold: 'no multiple of the threshold was passed',
  streak_too_short: 'the streak passed no multiple of its length',
  backdated: 'the user had what the achievement takes before',
} as const;

function lines(trigger: ExplainedTrigger): string[] {
  const { why, failed, threshold, counted, award } = trigger;
  const counts =
    counted === null
      ? []
      : [
          `    highest total ${formatDecimal(counted.before.high)} → ${formatDecimal(counted.after.high)}, threshold ${threshold}`,
        ];
  const name = `  ${trigger.systemKey}/${trigger.triggerKey}`;
  if (why !== null) {
    const filter =
      failed === null
        ? ''
        : `: ${failed.key} is ${JSON.stringify(failed.actual)}, not ${JSON.stringify(failed.expected)}`;
    return [`${name} did not fire: ${WHY[why]}${filter}`, ...(why === 'below_threshold' ? counts : [])];
  }
  return [`${name} fired`, ...counts, ...(award === null ? [] : awardLines(trigger, award))];
}

function awardLines({ points }: ExplainedTrigger, award: ExplainedAward): string[] {
  const { limit } = award;
  const used = limit === null || limit.used === null ? '' : ` (${limit.used} of ${limit.most} used before)`;
  return [
    `    ${award.fires} × ${points} = ${award.base}`,
    ...award.boosts.map(({ name, multiplier }) => `    × ${multiplier} by boost ${JSON.stringify(name)}`),
    ...(award.rounding === null ? [] : [`    × ${award.product} in all, rounded ${award.rounding}: ${award.boosted}`]),
    ...(limit === null ? [] : [`    limit on ${limit.by}${used} held back ${award.heldByLimit}`]),
    ...(award.heldByCap === 0n ? [] : [`    cap or floor left ${award.room} and held back ${award.heldByCap}`]),
    award.version === null
      ? `    nothing was posted; the balance is ${award.balanceAfter}`
      : `    posted ${award.amount} as entry ${award.version}; the balance is ${award.balanceAfter}`,
  ];
}
