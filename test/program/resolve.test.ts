import { describe, expect, it } from '@jest/globals';
import { economyOf } from '../../src/program/economy-of.ts';
import { readEconomy } from '../../src/program/read.ts';
import { resolve } from '../../src/program/resolve.ts';
import { type ProgramSnapshot, readProgram, writeProgram } from '../../src/rules/program.ts';

const EMPTY: ProgramSnapshot = { timeZone: 'UTC', systems: [] };
const IDS = {
  metrics: new Map([
    ['lessons', '11'],
    ['miles', '12'],
  ]),
  systems: new Map([
    ['energy', '21'],
    ['coins', '22'],
  ]),
  boosts: new Map(),
};

/** Programs one after the other, a minute apart, the first at minute 1; each id is new: `id1`, `id2` … */
function programs(...files: string[]): ProgramSnapshot[] {
  let ids = 0;
  let now = 0;
  const made: ProgramSnapshot[] = [];
  for (const file of files) {
    const { economy, problems } = readEconomy(file);
    expect(problems).toEqual([]);
    now += 60_000;
    if (economy !== undefined) {
      made.push(resolve(economy, IDS, made.at(-1) ?? EMPTY, { now, uuid: () => `id${++ids}` }));
    }
  }
  return made;
}

const timed = (trigger: string) =>
  `systems: [{ key: energy, name: Energy, maxPoints: 25, triggers: [{ key: tick, type: time, ${trigger} }] }]`;
const ON = timed('every: 3h, points: 1');
const OFF = timed('every: 3h, points: 1, status: inactive');
const SLOW = timed('every: 6h, points: 1');
const SLOW_OFF = timed('every: 6h, points: 1, status: inactive');
const GONE = 'systems: [{ key: energy, name: Energy, maxPoints: 25 }]';

describe('a time trigger begins', () => {
  it.each<[string, string[], number]>([
    ['when it is made', [ON], 1],
    ['when it was made, when nothing changes', [ON, ON, ON], 1],
    ['when it was made, with other points', [ON, timed('every: 3h, points: 2')], 1],
    ['when it was made, with filters', [ON, filtered()], 1],
    ['when it was made, when it runs below the cap only', [ON, timed('every: 3h, points: 1, runs: below_cap')], 1],
    ['when it was made, with the same interval in other words', [ON, timed('every: 180m, points: 1')], 1],
    ['anew with another interval', [ON, SLOW], 2],
    ['anew with the first interval again', [ON, SLOW, ON], 3],
    ['anew when it becomes active', [OFF, ON], 2],
    ['anew when it becomes active again', [ON, OFF, ON], 3],
    ['where it was, while it is inactive', [ON, OFF, OFF], 1],
    ['anew when it becomes active, with an interval it was given before', [ON, SLOW_OFF, SLOW], 3],
    ['anew when it was gone', [ON, GONE, ON], 3],
    ['when it became one', [typed(), ON], 2],
  ])('%s', (_, files, minute) => {
    expect(programs(...files).at(-1)?.systems[0]?.triggers[0]).toMatchObject({ since: minute * 60_000 });
  });
});

describe('what keeps its key keeps its id', () => {
  const badge = (rest: string) =>
    `{ metrics: [{ key: lessons, name: L }], achievements: [{ key: first, name: First, ${rest} }] }`;

  it.each<[string, string[], string]>([
    ['an achievement that changes', [badge('type: api'), badge('type: api, status: inactive')], 'id1'],
    ['one of another type', [badge('type: api'), badge('type: metric, metric: lessons, total: 5')], 'id1'],
    ['one that was gone is another', [badge('type: api'), '{}', badge('type: api')], 'id2'],
  ])('%s', (_, files, id) => {
    expect(programs(...files).at(-1)?.achievements).toMatchObject([{ id, key: 'first' }]);
  });

  it('a trigger of another type', () => {
    expect(programs(typed(), ON).map(({ systems }) => systems[0]?.triggers[0]?.id)).toEqual(['id1', 'id1']);
  });
});

const EVERYTHING = `
metrics: [{ key: lessons, name: Lessons }, { key: miles, name: Miles }]
userAttributes: [{ key: plan, name: Plan }]
streak: { frequency: weekly, metrics: [miles, lessons] }
achievements:
  - { key: shared, name: Shared, type: api }
  - { key: far, name: Far, type: metric, metric: miles, total: '26.2', userAttributes: { plan: pro } }
  - { key: month, name: A month, type: streak, length: 4, status: inactive }
systems:
  - key: energy
    name: Energy
    maxPoints: 25
    levels: [{ key: charged, name: Charged, points: 20, rewards: { energy: 1, coins: 50 } }]
    triggers:
      - { key: tick, type: time, every: 3h, runs: below_cap, points: 1 }
      - { key: week, type: streak, length: 1, points: 7 }
      - { key: far, type: achievement, achievement: far, points: 9 }
  - { key: coins, name: Coins }
`;

describe('a program', () => {
  const [snapshot = EMPTY] = programs(EVERYTHING);

  it('refers by id and by key', () => {
    expect(snapshot.streak).toEqual({
      frequency: 'weekly',
      metrics: [
        { id: '12', key: 'miles' },
        { id: '11', key: 'lessons' },
      ],
    });
    expect(snapshot.achievements).toMatchObject([
      { id: 'id1', key: 'shared', active: true, rule: { type: 'api' } },
      {
        id: 'id2',
        userAttributes: [{ key: 'plan', value: 'pro' }],
        rule: { type: 'metric', metricId: '12', metricKey: 'miles', total: '26.2' },
      },
      { id: 'id3', active: false, rule: { type: 'streak', length: 4 } },
    ]);
    expect(snapshot.systems[0]?.levels[0]?.rewards).toEqual([
      { systemId: '22', systemKey: 'coins', points: '50' },
      { systemId: '21', systemKey: 'energy', points: '1' },
    ]);
    expect(snapshot.systems[0]?.triggers).toMatchObject([
      { type: 'time', every: 10_800_000, runs: 'below_cap', since: 60_000 },
      { type: 'streak', length: 1 },
      { type: 'achievement', achievementId: 'id2', achievementKey: 'far' },
    ]);
  });

  it('is what the rules read, and gives the file back', () => {
    expect(writeProgram(readProgram(1, snapshot))).toEqual(snapshot);
    const { economy } = readEconomy(EVERYTHING);
    if (economy === undefined) throw new Error('it is an economy');
    expect(economyOf(economy, economy, snapshot)).toEqual(economy);
  });
});

function filtered(): string {
  return `${timed('every: 3h, points: 1, userAttributes: { plan: pro }')}\nuserAttributes: [{ key: plan, name: P }]`;
}

/** Of another type. */
function typed(): string {
  return 'systems: [{ key: energy, name: Energy, triggers: [{ key: tick, type: user_creation, points: 1 }] }]';
}
