import type { MessageInitShape } from '@bufbuild/protobuf';
import type { AchievementSchema } from '../../gen/guerdon/v1/types_pb.ts';
import { formatDecimal } from '../../rules/decimal.ts';
import type { Achievement } from '../../rules/types.ts';
import { statusMessage } from '../trigger-message.ts';

type Message = MessageInitShape<typeof AchievementSchema>;

export function achievementMessage(achievement: Achievement): Message {
  const { id, key, name, description, badgeUrl = '', active, userAttributes } = achievement;
  return {
    id,
    key,
    name,
    description,
    badgeUrl,
    status: statusMessage(active),
    userAttributes: userAttributes.map((filter) => ({ ...filter })),
    rule: ruleMessage(achievement.rule),
  };
}

function ruleMessage(rule: Achievement['rule']): Message['rule'] & object {
  switch (rule.type) {
    case 'api':
      return { case: 'api', value: {} };
    case 'metric':
      return { case: 'metric', value: { metricKey: rule.metricKey, total: formatDecimal(rule.total) } };
    case 'streak':
      return { case: 'streak', value: { length: rule.length } };
  }
}
