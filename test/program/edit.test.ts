import { describe, expect, it } from '@jest/globals';
import { type Edit, edit } from '../../src/program/edit.ts';
import { readEconomy } from '../../src/program/read.ts';

const { economy } = readEconomy(`
metrics: [{ key: m, name: M }]
userAttributes: [{ key: plan, name: Plan }]
eventAttributes: [{ key: kind, name: Kind }]
streak: { frequency: daily }
achievements:
  - { key: b, name: B, description: what for, type: metric, metric: m, total: 5, userAttributes: { plan: pro } }
systems:
  - key: s
    name: S
    maxPoints: 9
    triggers:
      - key: t
        metric: m
        threshold: 2
        points: 3
        onFloor: clamp
        userAttributes: { plan: pro }
        eventAttributes: { kind: x }
        limits: { awards: 1/day }
      - { key: c, type: time, every: 3h, runs: below_cap, points: 1 }
`);

const update = (kind: Edit['kind'], key: string, fields: Edit['fields'], action: Edit['action'] = 'update') => {
  if (economy === undefined) throw new Error('it is an economy');
  const system = kind === 'trigger' || kind === 'level' ? 's' : null;
  return edit(economy, { action, kind, system, key, fields });
};

describe('a thing of another type keeps what every type has, and nothing else', () => {
  const kept = { key: 't', status: 'active', points: '3', userAttributes: { plan: 'pro' }, onFloor: 'clamp' };

  it.each<[Edit['fields'], object]>([
    [
      { type: 'time', every: '1d' },
      { type: 'time', every: '1d', runs: 'always' },
    ],
    [
      { type: 'streak', length: '7' },
      { type: 'streak', length: '7' },
    ],
    [
      { type: 'achievement', achievement: 'b' },
      { type: 'achievement', achievement: 'b' },
    ],
    [{ type: 'user_creation' }, { type: 'user_creation' }],
  ])('a trigger: %j', (fields, own) => {
    expect(update('trigger', 't', fields).economy?.systems[0]?.triggers[0]).toEqual({ ...kept, ...own });
  });

  it('an achievement', () => {
    const { economy: next } = update('achievement', 'b', { type: 'streak', length: '3' });
    expect(next?.achievements).toEqual([
      {
        key: 'b',
        name: 'B',
        badgeUrl: '',
        description: 'what for',
        status: 'active',
        userAttributes: { plan: 'pro' },
        type: 'streak',
        length: '3',
      },
    ]);
  });

  it('one of the same type keeps the rest', () => {
    const { economy: next } = update('trigger', 'c', { type: 'time', every: '1h' });
    expect(next?.systems[0]?.triggers[1]).toMatchObject({ every: '1h', runs: 'below_cap', points: '1' });
  });
});

describe('an edit is refused where', () => {
  it.each<[string, Edit['kind'], string, Edit['fields'], Edit['action'], string]>([
    ['a new type lacks its own fields', 'trigger', 't', { type: 'time' }, 'update', 'every'],
    ['a field is of another type', 'trigger', 't', { every: '1h' }, 'update', 'every'],
    ['a new achievement has no type', 'achievement', 'n', { name: 'N' }, 'create', 'type'],
    [
      'a new achievement lacks its total',
      'achievement',
      'n',
      { name: 'N', type: 'metric', metric: 'm' },
      'create',
      'total',
    ],
    ['a new trigger has no type and no metric', 'trigger', 'n', { points: '1' }, 'create', 'metric'],
    ['there is no such achievement', 'achievement', 'n', { name: 'N' }, 'update', 'key'],
    [
      'a level rewards what is not there',
      'level',
      'l',
      { name: 'L', points: '5', rewards: { x: '1' } },
      'create',
      'rewards.x',
    ],
    [
      'an attribute is not declared',
      'trigger',
      't',
      { userAttributes: { isNew: 'y' } },
      'update',
      'user_attributes.isNew',
    ],
    ['a limit names what is not declared', 'trigger', 't', { limits: { oncePer: 'x' } }, 'update', 'limits.once_per'],
  ])('%s', (_, kind, key, fields, action, field) => {
    const { economy: next, problems } = update(kind, key, fields, action);
    expect(next).toBeUndefined();
    expect(problems.map((problem) => problem.field)).toContain(field);
  });

  it('something else depends on it', () => {
    const { economy: used } = update('trigger', 'a', { type: 'achievement', achievement: 'b', points: '1' }, 'create');
    if (used === undefined) throw new Error('the trigger is right');
    const { problems } = edit(used, { action: 'archive', kind: 'achievement', system: null, key: 'b', fields: {} });
    expect(problems).toEqual([{ field: '', message: 'systems.s.triggers.a.achievement: there is no achievement "b"' }]);
  });
});
