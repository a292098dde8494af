import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { diff } from '../../src/program/diff.ts';
import { type Economy, EMPTY_ECONOMY } from '../../src/program/economy.ts';
import { economyOf } from '../../src/program/economy-of.ts';
import { readEconomy } from '../../src/program/read.ts';
import { resolve } from '../../src/program/resolve.ts';
import { economySchema } from '../../src/program/schema.ts';
import { writeEconomy } from '../../src/program/write.ts';
import { anyEconomy } from './any-economy.ts';

const RUNS = { seed: 11, numRuns: 300 };

function read(text: string): Economy {
  const { economy, problems } = readEconomy(text);
  expect(problems).toEqual([]);
  return economy as Economy;
}

describe('an economy file', () => {
  it('reads back as what was written, whatever it is', () => {
    fc.assert(
      fc.property(anyEconomy(), (economy) => {
        expect(read(writeEconomy(economy))).toEqual(economy);
      }),
      RUNS,
    );
  });

  it('is the same as the program made from it', () => {
    fc.assert(
      fc.property(anyEconomy(), (economy) => {
        const ids = new Map(Array.from({ length: 99 }, (_, index) => [`k${index}`, String(index)]));
        const known = { metrics: ids, systems: ids, boosts: new Map() };
        const program = resolve(economy, known, { timeZone: 'UTC', systems: [] }, { now: 0, uuid: () => 'id' });
        expect(diff(economyOf(economy, economy, program), economy)).toEqual([]);
      }),
      RUNS,
    );
  });

  it('keeps decimals exact that binary floating point cannot hold', () => {
    const [system] = read(`
metrics: [{ key: m, name: M }]
systems:
  - key: s
    name: S
    boostCeiling: 2.300000001
    triggers: [{ key: t, metric: m, threshold: 123456789012345678.000000001, points: 9007199254740991 }]`).systems;
    expect(system?.boostCeiling).toBe('2.300000001');
    expect(system?.triggers[0]).toMatchObject({
      threshold: '123456789012345678.000000001',
      points: '9007199254740991',
    });
  });

  it('has a published schema', async () => {
    const published = await readFile(new URL('../../docs/economy.schema.json', import.meta.url), 'utf8');
    expect(JSON.parse(published)).toEqual(economySchema);
  });

  it.each([
    ['systems: 5', 'systems', 'must be array'],
    ['metrics: [{ key: a b, name: A }]', 'metrics.a b.key', 'must match pattern'],
    ['metrics: [{ key: __proto__, name: A }]', 'metrics.__proto__.key', 'must match pattern'],
    ['metrics: [{ key: a, name: A }, { key: a, name: B }]', 'metrics.a', 'stands there twice'],
    ['colour: red', '', 'must NOT have additional properties: "colour"'],
    ['timeZone: Mars', 'timeZone', 'must be an IANA time zone'],
    ['keylessEvents: no', 'keylessEvents', 'mark, warn, refuse'],
    ['systems: [{ key: s, name: S, maxPoints: 1.5 }]', 'systems.s.maxPoints', ''],
    ['systems: [{ key: s, name: S, maxPoints: 0 }]', 'systems.s.maxPoints', 'must be 1 or more'],
    [
      'systems: [{ key: s, name: S, maxPoints: 5, minPoints: 6 }]',
      'systems.s.minPoints',
      'must not be above maxPoints',
    ],
    ['systems: [{ key: s, name: S, maxPoints: 9007199254740992 }]', 'systems.s.maxPoints', 'must be within'],
    [
      'systems: [{ key: s, name: S, triggers: [{ key: t, metric: x, threshold: 1, points: 1 }] }]',
      'systems.s.triggers.t.metric',
      'there is no metric "x"',
    ],
    [
      '{ metrics: [{ key: m, name: M }], systems: [{ key: s, name: S, triggers: [{ key: t, metric: m, threshold: 0, points: 1 }] }] }',
      'systems.s.triggers.t.threshold',
      'must be above 0',
    ],
    [
      '{ metrics: [{ key: m, name: M }], systems: [{ key: s, name: S, triggers: [{ key: t, metric: m, threshold: 1, points: 0 }] }] }',
      'systems.s.triggers.t.points',
      'must not be 0',
    ],
    [
      '{ metrics: [{ key: m, name: M }], systems: [{ key: s, name: S, triggers: [{ key: t, metric: m, threshold: 1, points: 1, userAttributes: { plan: pro } }] }] }',
      'systems.s.triggers.t.userAttributes.plan',
      'there is no user attribute',
    ],
    ['a: [', '', ''],
    ['{ metrics: &all [{ key: m, name: M }], userAttributes: *all }', '', 'must have no aliases'],
  ])('%s is refused', (text, path, message) => {
    const { economy, problems } = readEconomy(text);
    expect(economy).toBeUndefined();
    expect(problems.map((problem) => problem.path)).toContain(path);
    expect(problems.map((problem) => problem.message).join('\n')).toContain(message);
  });
});

describe('a plan', () => {
  it('is empty from an economy to itself, and back and forth between any two it names the same things', () => {
    fc.assert(
      fc.property(anyEconomy(), anyEconomy(), (one, other) => {
        expect(diff(one, one)).toEqual([]);
        const names = (changes: ReturnType<typeof diff>) => changes.map(({ kind, key }) => `${kind} ${key}`).sort();
        expect(names(diff(one, other))).toEqual(names(diff(other, one)));
      }),
      RUNS,
    );
  });

  it('makes everything from nothing', () => {
    const economy = { ...EMPTY_ECONOMY, metrics: [{ key: 'm', name: 'M', unitType: 'number' as const, units: 'km' }] };
    expect(diff(EMPTY_ECONOMY, economy)).toEqual([
      {
        action: 'create',
        kind: 'metric',
        key: 'm',
        fields: [
          { field: 'name', before: null, after: 'M' },
          { field: 'unitType', before: null, after: 'number' },
          { field: 'units', before: null, after: 'km' },
        ],
      },
    ]);
  });
});
