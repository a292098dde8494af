import { firstMismatch } from './filter.ts';
import type { Asked, Occasion } from './look.ts';
import { countsForStreak } from './program.ts';
import { extend, lengthOf, periodOf } from './streak.ts';
import type { Achievement, Completion, MetricEvent, Program, StreakChange, UserState } from './types.ts';
import { zoneAt } from './zone.ts';

/** What an event does to the user's streak; null: it is none that streaks count. */
export function streakOf(program: Program, state: UserState, event: MetricEvent, asked: Asked): StreakChange | null {
  const { streak } = program;
  if (streak === null || event.value <= 0n || !countsForStreak(program, event.metricId)) return null;
  asked.zone ??= zoneAt(state.zones, event.at) ?? program.timeZone;
  return extend(state.runs, periodOf(event.at, asked.zone, streak.frequency));
}

/** The achievements that an event completes. */
export function completionsOf(
  program: Program,
  state: UserState,
  event: Omit<Occasion, 'completed'>,
  asked: Asked,
): Completion[] {
  return program.achievements.flatMap((achievement) => {
    if (!achievement.active || state.completed.has(achievement.id)) return [];
    const reached = reachedBy(achievement, event);
    return reached === 'not' || !isFor(achievement, state, asked)
      ? []
      : [{ achievementId: achievement.id, backdated: reached === 'before' }];
  });
}

/** Whether the user has the attributes that the achievement asks for. */
export function isFor(achievement: Achievement, state: UserState, asked: Asked): boolean {
  for (const { key } of achievement.userAttributes) asked.keys.add(key);
  return firstMismatch(achievement.userAttributes, state.attributes) === undefined;
}

function reachedBy({ rule }: Achievement, event: Omit<Occasion, 'completed'>): 'not' | 'now' | 'before' {
  if (rule.type === 'metric') {
    if (rule.metricId !== event.metricId || event.counter.after.high < rule.total) return 'not';
    return event.counter.before.high < rule.total ? 'now' : 'before';
  }
  if (rule.type === 'api' || event.streak === null || lengthOf(event.streak.after) < rule.length) return 'not';
  return event.streak.before.some((run) => lengthOf(run) >= rule.length) ? 'before' : 'now';
}
