import type { ProjectCatalog } from '../../db/catalog.ts';
import { formatDecimal } from '../../rules/decimal.ts';
import type { Trigger } from '../../rules/types.ts';
import { idOf } from '../ids.ts';
import { exactNumber } from '../json.ts';
import { filterShapes } from './filters.ts';
import { intervalOf } from './trigger.ts';

/** A trigger as the admin API has it. */
export function adminTriggerShape({ attributes }: Pick<ProjectCatalog, 'attributes'>, trigger: Trigger) {
  return {
    id: trigger.id,
    type: trigger.type,
    points: Number(trigger.points),
    status: trigger.active ? 'active' : 'inactive',
    userAttributes: filterShapes(attributes, 'user', trigger.userAttributes),
    blockIfOutOfPoints: trigger.onFloor === 'refuse',
    ...typeFields(attributes, trigger),
  };
}

/** What only triggers of one type have, in the names of an administrator. */
function typeFields(attributes: ProjectCatalog['attributes'], trigger: Trigger) {
  switch (trigger.type) {
    case 'metric':
      return {
        metricId: idOf('metric', trigger.metricId),
        metricThreshold: exactNumber(formatDecimal(trigger.threshold)),
        eventAttributes: filterShapes(attributes, 'event', trigger.eventAttributes),
      };
    case 'user_creation':
      return {};
    case 'time': {
      const { unit, interval } = intervalOf(trigger.every);
      return { timeUnit: `${unit}s`, timeInterval: interval };
    }
    case 'streak':
      return { streakLength: trigger.length };
    case 'achievement':
      return { achievementId: trigger.achievementId };
  }
}
