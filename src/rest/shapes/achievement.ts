import { timestampDate } from '@bufbuild/protobuf/wkt';
import { idOf } from '../../contract-ids.ts';
import type { Declared } from '../../db/catalog.ts';
import type { Achievement, CompletedAchievement } from '../../gen/guerdon/v1/types_pb.ts';
import type { Call } from '../../rpc/call.ts';
import { exactNumber } from '../json.ts';
import { badgeUrlShape } from './badge.ts';

/** Tells of achievements, and of those that a user has completed. */
export async function achievementTeller(call: Call) {
  const { metrics } = await call.api.context.catalog.get(call.projectId);
  const tell = (achievement: Achievement) => ({
    id: achievement.id,
    name: achievement.name,
    description: achievement.description === '' ? null : achievement.description,
    badgeUrl: badgeUrlShape(achievement.badgeUrl),
    ...ruleFields(achievement, metrics),
    userAttributes: achievement.userAttributes.map(({ key, value }) => ({ key, value })),
  });
  return {
    tell,
    /** `completed`: undefined where the user has not. */
    ofUser: (achievement: Achievement, completed: CompletedAchievement | undefined) => ({
      ...tell(achievement),
      achievedAt: completed?.completedAt === undefined ? null : timestampDate(completed.completedAt).toISOString(),
    }),
  };
}

/** What only achievements with one kind of rule have. */
function ruleFields({ key, rule }: Achievement, metrics: readonly Declared[]) {
  switch (rule.case) {
    case 'metric': {
      const metric = metrics.find((item) => item.key === rule.value.metricKey);
      return {
        trigger: rule.case,
        ...(metric !== undefined && { metricId: idOf('metric', metric.id) }),
        metricName: metric?.name ?? rule.value.metricKey,
        metricValue: exactNumber(rule.value.total),
        eventAttributes: [],
      };
    }
    case 'streak':
      return { trigger: rule.case, streakLength: rule.value.length };
    default:
      return { trigger: 'api', key };
  }
}
