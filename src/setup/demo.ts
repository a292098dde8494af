import type { ProgramSnapshot, TriggerSnapshot } from '../rules/program.ts';

/** The project that a new deployment starts with. */
export const demo = {
  key: 'demo',
  name: 'Demo',
  timeZone: 'UTC',
  metrics: [
    { key: 'lessons', name: 'Lessons' },
    { key: 'commits', name: 'Commits' },
    { key: 'files', name: 'Files' },
  ],
  attributes: [
    { kind: 'user', key: 'plan', name: 'Plan' },
    { kind: 'event', key: 'lesson_id', name: 'Lesson' },
    { kind: 'event', key: 'repo', name: 'Repository' },
  ],
  systems: ['xp', 'coins', 'energy'],
} as const;

type MetricKey = (typeof demo.metrics)[number]['key'];
type SystemKey = (typeof demo.systems)[number];

/** Its first program; the ids are those the database and the process have given out. */
export function demoProgram(
  systemIds: ReadonlyMap<SystemKey, string>,
  metricIds: ReadonlyMap<MetricKey, string>,
  uuid: () => string,
): ProgramSnapshot {
  const trigger = (metricKey: MetricKey, threshold: string, points: string): TriggerSnapshot => ({
    id: uuid(),
    type: 'metric',
    active: true,
    metricId: metricIds.get(metricKey) as string,
    metricKey,
    threshold,
    points,
    userAttributes: [],
    eventAttributes: [],
    onFloor: 'refuse',
  });
  const system = { description: '', maxPoints: null, minPoints: '0', boostCeiling: null, levels: [], boosts: [] };
  return {
    timeZone: demo.timeZone,
    systems: [
      {
        ...system,
        id: systemIds.get('xp') as string,
        key: 'xp',
        name: 'XP',
        levelBasis: 'balance',
        triggers: [trigger('lessons', '1', '10'), trigger('commits', '1', '10')],
        levels: [
          { key: 'novice', name: 'Novice', description: '', points: '0' },
          { key: 'apprentice', name: 'Apprentice', description: '', points: '100' },
          { key: 'adept', name: 'Adept', description: '', points: '500' },
          { key: 'expert', name: 'Expert', description: '', points: '2000' },
          { key: 'master', name: 'Master', description: '', points: '10000' },
        ],
      },
      {
        ...system,
        id: systemIds.get('coins') as string,
        key: 'coins',
        name: 'Coins',
        levelBasis: 'balance',
        triggers: [trigger('files', '20', '5')],
      },
      {
        ...system,
        id: systemIds.get('energy') as string,
        key: 'energy',
        name: 'Energy',
        maxPoints: '25',
        levelBasis: 'balance',
        triggers: [trigger('lessons', '1', '1')],
      },
    ],
  };
}
