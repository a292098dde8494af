// Streaks and achievements as the contract wants them where there are none.

const NO_STREAK = {
  length: 0,
  frequency: 'daily',
  started: null,
  periodStart: null,
  periodEnd: null,
  expires: null,
};

/** The streak in the answer to an event. */
export function eventStreakShape() {
  return { ...NO_STREAK, extended: false };
}

/** The streak of a user. */
export function streakShape() {
  return { ...NO_STREAK, streakHistory: [] };
}

/** What an event, or an API call, has completed. */
export function achievementShapes(): object[] {
  return [];
}
