import { type Timestamp, timestampDate } from '@bufbuild/protobuf/wkt';
import { AchievementService } from '../../gen/guerdon/v1/achievement_service_pb.ts';
import type { Achievement, CompletedAchievement } from '../../gen/guerdon/v1/types_pb.ts';
import type { Call } from '../../rpc/call.ts';
import { idOf } from '../ids.ts';
import { exactNumber } from '../json.ts';
import { rpc } from '../route.ts';

const PAGE_SIZE = 500;

/** Tells achievements with the names and ids of their metrics. */
export async function achievementTeller(call: Call) {
  const { metrics } = await call.api.context.catalog.get(call.projectId);
  const ruleFields = ({ key, rule }: Achievement) => {
    if (rule.case === 'streak') return { trigger: 'streak', streakLength: rule.value.length };
    if (rule.case !== 'metric') return { trigger: 'api', key };
    const metric = metrics.find((item) => item.key === rule.value.metricKey);
    return {
      trigger: 'metric',
      ...(metric !== undefined && { metricId: idOf('metric', metric.id) }),
      metricName: metric?.name ?? rule.value.metricKey,
      metricValue: exactNumber(rule.value.total),
    };
  };
  return (achievement: Achievement) => ({
    id: achievement.id,
    name: achievement.name,
    description: achievement.description === '' ? null : achievement.description,
    badgeUrl: null,
    userAttributes: achievement.userAttributes.map(({ key, value }) => ({ key, value })),
    ...ruleFields(achievement),
  });
}

/** What was completed, in the order given. */
export async function completedShapes(call: Call, completed: readonly CompletedAchievement[]) {
  const tell = await achievementTeller(call);
  return completed.flatMap(({ achievement, completedAt }) =>
    achievement === undefined ? [] : [{ ...tell(achievement), achievedAt: instantText(completedAt) }],
  );
}

function instantText(at: Timestamp | undefined): string | null {
  return at === undefined ? null : timestampDate(at).toISOString();
}

/** All achievements of the project. `withCounts`: how many users completed each, and in percent. */
export async function allAchievements(call: Call, withCounts: boolean) {
  const all: { achievement: Achievement; completions: number; rarity: number }[] = [];
  for (let pageToken = ''; ; ) {
    const asked = { pageSize: PAGE_SIZE, pageToken, withCounts };
    const page = await rpc(call, AchievementService.method.listAchievements, asked);
    const users = Number(page.users ?? 0);
    for (const { achievement, completions = 0n } of page.achievements) {
      const count = Number(completions);
      const rarity = users === 0 ? 0 : Math.round((count * 10_000) / users) / 100;
      if (achievement !== undefined) all.push({ achievement, completions: count, rarity });
    }
    pageToken = page.nextPageToken;
    if (pageToken === '') return all;
  }
}

/** All that a known user has completed, the latest first. */
export async function allCompleted(call: Call, userId: string): Promise<CompletedAchievement[]> {
  const all: CompletedAchievement[] = [];
  for (let pageToken = ''; ; ) {
    const asked = { userId, pageSize: PAGE_SIZE, pageToken };
    const page = await rpc(call, AchievementService.method.listUserAchievements, asked);
    all.push(...page.completed);
    pageToken = page.nextPageToken;
    if (pageToken === '') return all;
  }
}
