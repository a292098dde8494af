import { expect, it } from '@jest/globals';
import { idOf } from '../../src/contract-ids.ts';
import {
  achievementCompleted,
  boostTurned,
  streakGrew,
  streakLost,
  type UserFacts,
} from '../../src/webhooks/contract.ts';

const at = Date.parse('2026-01-02T03:04:05.678Z');
const user: UserFacts = {
  externalId: 'ada',
  email: null,
  name: null,
  zones: [
    { from: 0, zone: 'UTC' },
    { from: 1, zone: 'Asia/Tokyo' },
  ],
  attributes: { plan: 'pro' },
  deviceTokens: ['d1'],
  createdAt: at,
  updatedAt: at,
};
const told = {
  id: 'ada',
  email: null,
  name: null,
  tz: 'Asia/Tokyo',
  deviceTokens: ['d1'],
  subscribeToEmails: false,
  attributes: { plan: 'pro' },
  control: false,
  created: '2026-01-02T03:04:05.678Z',
  updated: '2026-01-02T03:04:05.678Z',
};

it('achievement.completed has what goes with its trigger', () => {
  const achievement = {
    id: 'a1',
    name: 'First',
    description: null,
    badgeUrl: null,
    userAttributes: [{ key: 'plan', value: 'pro' }],
    achievedAt: at,
  };
  const common = { ...achievement, achievedAt: told.created };
  expect(achievementCompleted(user, { ...achievement, trigger: { type: 'api', key: 'first' } })).toEqual({
    user: told,
    achievement: { ...common, trigger: 'api', key: 'first' },
  });
  const metric = {
    metricId: 'm1',
    metricName: 'Lessons',
    metricValue: 10,
    eventAttributes: [{ key: 'k', value: 'v' }],
  };
  expect(achievementCompleted(user, { ...achievement, trigger: { type: 'metric', ...metric } })).toEqual({
    user: told,
    achievement: { ...common, trigger: 'metric', ...metric },
  });
  expect(achievementCompleted(user, { ...achievement, trigger: { type: 'streak', streakLength: 7 } })).toEqual({
    user: told,
    achievement: { ...common, trigger: 'streak', streakLength: 7 },
  });
});

it('streak.started and streak.extended have the streak, streak.lost its length', () => {
  const streak = {
    length: 3,
    frequency: 'daily' as const,
    started: '2026-01-01',
    periodStart: '2026-01-03',
    periodEnd: '2026-01-03',
    expires: '2026-01-04',
  };
  expect(streakGrew(user, streak)).toEqual({ user: told, streak });
  expect(streakLost(user, 3)).toEqual({ user: told, length: 3 });
});

it('a boost of instants has them as they are', () => {
  const boost = {
    id: 'b1',
    name: 'b',
    status: 'active' as const,
    multiplier: '1.25',
    rounding: 'down' as const,
    user: null,
  };
  const window = { kind: 'instants' as const, startTime: at, endTime: at + 1 };
  const system = { id: '1', key: 'xp', name: 'XP' };
  expect(boostTurned({ ...boost, window }, { at, system })).toEqual({
    timestamp: told.created,
    boost: {
      id: 'b1',
      name: 'b',
      status: 'active',
      userId: null,
      pointsSystemId: idOf('points_system', '1'),
      pointsSystemKey: 'xp',
      pointsSystemName: 'XP',
      start: '2026-01-02T03:04:05.678Z',
      end: '2026-01-02T03:04:05.679Z',
      multiplier: 1.25,
      rounding: 'down',
    },
  });
});
