import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import {
  type ExplainEventResponse,
  LimitKind,
  type SendEventResponse,
  type TriggerExplanation,
  WhyNot,
} from '../../src/gen/guerdon/v1/event_service_pb.ts';
import {
  type Boost,
  type MetricTrigger,
  OnFloor,
  type PointsSystem,
  type Trigger,
} from '../../src/gen/guerdon/v1/types_pb.ts';
import { anyRules, SYSTEMS } from '../support/any-rules.ts';
import { bareEnv, startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { expectSound } from '../support/ledger.ts';
import { boosted, boostsThen, type Occasion, PaidLog, reasonOf, roundingOf } from '../support/why.ts';

const SEED = 20_240_615;
const rules = anyRules(SEED, { users: 30, triggers: 12, boosts: 24, events: 1_000 });

let guerdon: TestGuerdon;
/** By key of the points system, as the API lists them. */
const systems = new Map<string, PointsSystem>();
const triggers = new Map<string, Trigger[]>();
const boosts = new Map<string, Boost[]>();
beforeAll(async () => {
  guerdon = await startGuerdon();
  const { admin, users } = guerdon;
  for (const [id, plan] of rules.users) await users.createUser({ user: { id, attributes: { plan } } });
  await admin.createPointsSystems({ systems: SYSTEMS });
  for (const { key, ...made } of rules.systems) {
    const answers = [
      await admin.createTriggers({ systemKey: key, triggers: made.triggers }),
      await guerdon.boosts.createBoosts({ systemKey: key, boosts: made.boosts }),
    ];
    expect(answers.map(({ created }) => created.length)).toEqual([made.triggers.length, made.boosts.length]);
  }
  const refuse = { case: 'metric', value: { metricKey: 'files', threshold: '20' } } as const;
  await admin.createTriggers({ systemKey: 'coins', triggers: [{ key: 'price', points: -40n, type: refuse }] });
  for (const system of (await guerdon.points.listPointsSystems({})).systems) {
    const systemKey = system.key;
    systems.set(systemKey, system);
    triggers.set(systemKey, (await admin.listTriggers({ systemKey, pageSize: 100 })).triggers);
    boosts.set(systemKey, (await guerdon.boosts.listBoosts({ systemKey, pageSize: 100 })).boosts);
  }
}, 60_000);
afterAll(async () => {
  await expectSound(guerdon.database);
  await guerdon.close();
});

const paid = new PaidLog();
/** What was met, so that a test of nothing is noticed. */
const met = new Set<string>();

function expectFired(trigger: Trigger, told: TriggerExplanation, event: Occasion): void {
  const occasion = { ...event, at: timestampMs(told.at as NonNullable<typeof told.at>) };
  const { systemKey, amount } = told;
  const { maxPoints, minPoints = 0n, boostCeiling = '' } = systems.get(systemKey) as PointsSystem;
  const base = BigInt(told.fires) * trigger.points;
  const open = base > 0n ? boostsThen(boosts.get(systemKey) ?? [], occasion) : [];
  const alone = boosted(base, open, boostCeiling);
  const limit = paid.heldBack(trigger, alone, occasion);
  const before = told.balanceAfter - amount;
  const allowed = alone - limit.held;
  const most = maxPoints === undefined ? allowed : maxPoints > before ? maxPoints - before : 0n;
  const least = trigger.onFloor === OnFloor.ALLOW ? allowed : minPoints < before ? minPoints - before : 0n;
  const left = allowed > 0n ? (allowed < most ? allowed : most) : allowed > least ? allowed : least;
  expect({
    base: told.base,
    boosts: told.boosts.map(({ id, name, multiplier }) => [id, name, multiplier]).sort(),
    rounding: told.rounding,
    boosted: told.boosted,
    limit: [told.limit, told.limitUsed, told.limitMost, told.heldByLimit],
    heldByCap: told.heldByCap,
    amount,
    posted: told.version !== undefined,
  }).toEqual({
    base: String(base),
    boosts: open.map(({ id, name, multiplier }) => [id, name, multiplier]).sort(),
    rounding: roundingOf(open),
    boosted: String(alone),
    limit: [limit.by, limit.used, limit.most, String(limit.held)],
    heldByCap: String(allowed - left),
    amount: left,
    posted: left !== 0n,
  });
  expect(BigInt(told.heldByLimit) + BigInt(told.heldByCap) + amount).toBe(alone);
  if (amount !== 0n) paid.add(trigger, occasion, amount);
  met
    .add(`limit ${told.limit}`)
    .add(`rounding ${told.rounding}`)
    .add(`boosts ${Math.min(open.length, 3)}`);
  if (told.heldByCap !== '0') met.add(base > 0n ? 'cap' : 'floor');
  if (open.some(({ exclusive }) => exclusive)) met.add('exclusive');
}

function expectNotFired(trigger: Trigger, told: TriggerExplanation, occasion: Occasion): void {
  const { failedFilter } = told;
  const ofEvent = told.whyNot === WhyNot.EVENT_ATTRIBUTES;
  expect(failedFilter !== undefined).toBe(ofEvent || told.whyNot === WhyNot.USER_ATTRIBUTES);
  if (failedFilter === undefined) return;
  const { key, expected, actual } = failedFilter;
  const asked = ofEvent ? (trigger.type.value as MetricTrigger).eventAttributes : trigger.userAttributes;
  expect(asked.map((filter) => [filter.key, filter.value])).toContainEqual([key, expected]);
  expect(actual).toBe((ofEvent ? occasion.attributes : occasion.userAttributes)[key]);
  expect(actual).not.toBe(expected);
}

function expectTold(metricKey: string, event: SendEventResponse, told: ExplainEventResponse, occasion: Occasion): void {
  for (const [systemKey, all] of triggers) {
    const own = told.triggers.filter((one) => one.systemKey === systemKey);
    const ofMetric = all.filter(({ type }) => type.case === 'metric' && type.value.metricKey === metricKey);
    expect(own.map(({ triggerId }) => triggerId)).toEqual(ofMetric.map(({ id }) => id));
    for (const [index, one] of own.entries()) {
      const trigger = ofMetric[index] as Trigger;
      expect(one.whyNot).toBe(reasonOf(trigger, one, occasion));
      met.add(`why ${one.whyNot}`);
      if (one.whyNot === WhyNot.UNSPECIFIED) expectFired(trigger, one, occasion);
      else expectNotFired(trigger, one, occasion);
    }
    const fired = own.filter(({ whyNot }) => whyNot === WhyNot.UNSPECIFIED);
    const points = event.points[systemKey];
    expect(sum(fired.map(({ amount }) => amount))).toBe(points?.added ?? 0n);
    expect(sum(fired.map((one) => BigInt(one.boosted) - one.amount))).toBe(points?.withheld ?? 0n);
    if (fired.length > 0) expect(fired.at(-1)?.balanceAfter).toBe(points?.total);
  }
}

const sum = (numbers: readonly bigint[]) => numbers.reduce((total, number) => total + number, 0n);

/** By event: what the entries of one points system add up to. */
async function entriesByEvent(systemKey: string): Promise<Map<string, bigint>> {
  const added = new Map<string, bigint>();
  for (const userId of rules.users.keys()) {
    for (let pageToken = '', first = true; first || pageToken !== ''; first = false) {
      const page = await guerdon.points.listLedgerEntries({ userId, systemKey, pageSize: 500, pageToken });
      for (const { eventId, amount } of page.entries) added.set(eventId, (added.get(eventId) ?? 0n) + amount);
      pageToken = page.nextPageToken;
    }
  }
  return added;
}

const explained: { answer: SendEventResponse; told: ExplainEventResponse }[] = [];
const refused: string[] = [];

it('what is told of 1,000 random events adds up to what was paid, and what was held back to what the rules alone would have paid', async () => {
  const { events } = guerdon;
  for (let from = 0; from < rules.events.length; from += 250) {
    const some = rules.events.slice(from, from + 250);
    const { results } = await events.sendEvents({
      events: some.map(({ user, at, ...event }, index) => ({
        ...event,
        user: { id: user },
        idempotencyKey: `k${from + index}`,
        occurredAt: timestampFromMs(at),
      })),
    });
    for (const [index, { result }] of results.entries()) {
      const { user, attributes, at, metricKey } = some[index] as (typeof some)[number];
      const key = { userId: user, metricKey, idempotencyKey: `k${from + index}` };
      const told = await events.explainEvent({ lookup: { case: 'key', value: key } });
      if (result.case !== 'event') {
        expect([told.triggers, told.event?.refusal?.message]).toEqual([[], result.value?.message]);
        refused.push(told.event?.id as string);
        continue;
      }
      expect(told.event?.id).toBe(result.value.eventId);
      const userAttributes = { plan: rules.users.get(user) as string };
      expectTold(metricKey, result.value, told, { user, userAttributes, attributes, at });
      explained.push({ answer: result.value, told });
    }
  }
  for (const systemKey of systems.keys()) {
    const inLedger = await entriesByEvent(systemKey);
    for (const { answer } of explained) {
      expect(inLedger.get(answer.eventId) ?? 0n).toBe(answer.points[systemKey]?.added ?? 0n);
      inLedger.delete(answer.eventId);
    }
    expect([...inLedger]).toEqual([]);
  }
  const kinds = [1, 2, 3, 4];
  expect([...met].sort()).toEqual(
    [
      ...[0, ...kinds].flatMap((kind) => [`why ${kind}`, `limit ${kind}`]),
      ...[0, 1, 2, 3].flatMap((kind) => [`rounding ${kind}`, `boosts ${kind}`]),
      ...['cap', 'floor', 'exclusive'],
    ].sort(),
  );
  expect(refused.length).toBeGreaterThan(0);
}, 120_000);

const LIMITS = ['', 'awards', 'points', 'cooldown', 'once'];
const ROUNDINGS = ['', 'down', 'up', 'nearest'];

/** Every line that the command must print of a trigger that fired. */
function linesOf(told: TriggerExplanation): string[] {
  const { limit, boosts: applied, heldByCap } = told;
  const used = told.limitUsed === undefined ? '' : ` (${told.limitUsed} of ${told.limitMost} used before)`;
  return [
    `  ${told.systemKey}/${told.triggerKey} fired`,
    `    highest total ${told.highBefore} → ${told.highAfter}, threshold ${told.threshold}`,
    `    ${told.fires} × ${told.points} = ${told.base}`,
    ...applied.map(({ multiplier, name }) => `    × ${multiplier} by boost ${JSON.stringify(name)}`),
    ...(applied.length > 0
      ? [`    × ${told.product} in all, rounded ${ROUNDINGS[told.rounding]}: ${told.boosted}`]
      : []),
    ...(limit === LimitKind.UNSPECIFIED ? [] : [`    limit on ${LIMITS[limit]}${used} held back ${told.heldByLimit}`]),
    ...(heldByCap === '0' ? [] : [`    cap or floor left ${told.room} and held back ${heldByCap}`]),
    told.version === undefined
      ? `    nothing was posted; the balance is ${told.balanceAfter}`
      : `    posted ${told.amount} as entry ${told.version}; the balance is ${told.balanceAfter}`,
  ];
}

it('the command tells the same numbers', async () => {
  const why = async (id: string) => {
    const env = { ...bareEnv, DATABASE_URL: guerdon.database.url };
    const { stdout } = await promisify(execFile)(process.execPath, ['src/cli/guerdon.ts', 'why', id], { env });
    return stdout;
  };
  const told = (one: (typeof explained)[number], condition: (trigger: TriggerExplanation) => boolean) =>
    one.told.triggers.some((trigger) => trigger.whyNot === WhyNot.UNSPECIFIED && condition(trigger));
  const chosen = [
    explained.find((one) => told(one, ({ boosts: { length } }) => length > 1)),
    explained.find((one) => told(one, ({ limit }) => limit === LimitKind.POINTS)),
    explained.find((one) => told(one, ({ limit }) => limit === LimitKind.COOLDOWN)),
    explained.find((one) => told(one, ({ heldByCap, points }) => heldByCap !== '0' && points > 0n)),
    explained.find((one) => told(one, ({ heldByCap, points }) => heldByCap !== '0' && points < 0n)),
  ];
  for (const one of chosen) {
    const text = await why(one?.answer.eventId as string);
    const fired = one?.told.triggers.filter(({ whyNot }) => whyNot === WhyNot.UNSPECIFIED) ?? [];
    for (const trigger of fired) expect(text).toContain(`${linesOf(trigger).join('\n')}\n`);
    expect(text.match(/ did not fire: /g) ?? []).toHaveLength((one?.told.triggers.length ?? 0) - fired.length);
  }
  expect(await why(refused[0] as string)).toMatch(/refused: .*40 points are needed/);
});
