import type { FieldMask } from '@bufbuild/protobuf/wkt';
import { type AchievementInput, AdminService } from '../../gen/guerdon/v1/admin_service_pb.ts';
import { achievementMessage } from '../achievements/achievement-message.ts';
import { type Call, itemRoute } from '../call.ts';
import { currentProgram } from '../lookup.ts';
import {
  type Asked,
  archival,
  change,
  creation,
  decimalText,
  edited,
  field,
  filtersField,
  type NounFields,
  type Place,
  statusField,
  withLists,
  withType,
} from './edits.ts';

const PLACE: Place = { kind: 'achievement', system: null };

const metricOf = ({ rule }: AchievementInput) => (rule.case === 'metric' ? rule.value : undefined);
const metricKey = (input: AchievementInput) => ({ metric: metricOf(input)?.metricKey ?? '' });
const total = (input: AchievementInput) => {
  const given = metricOf(input)?.total;
  return { total: given === undefined ? '' : decimalText(given) };
};
const length = ({ rule }: AchievementInput) => ({ length: rule.case === 'streak' ? String(rule.value.length) : '' });

const FIELDS: NounFields<AchievementInput> = {
  name: field('name', ({ name }) => name, ''),
  description: field('description', ({ description }) => description, ''),
  badge_url: field('badgeUrl', ({ badgeUrl }) => badgeUrl, ''),
  status: statusField(),
  user_attributes: filtersField(),
  api: { isPresent: () => false, read: () => ({}) },
  metric: {
    isPresent: (input) => metricOf(input) !== undefined,
    read: (input) => ({ ...metricKey(input), ...total(input) }),
  },
  streak: { isPresent: ({ rule }) => rule.case === 'streak', read: length },
  'metric.metric_key': { isPresent: () => false, read: metricKey },
  'metric.total': { isPresent: () => false, read: total },
  'streak.length': { isPresent: () => false, read: length },
};

/** Names of fields in the proto, where the economy has others. */
const NAMES = { type: 'rule', metric: 'metric.metric_key', total: 'metric.total', length: 'streak.length' };

export const createAchievements = itemRoute(
  AdminService.method.createAchievements,
  'admin',
  'achievements',
  async (call, request) => {
    const { done, issues } = await edited(
      call,
      request.achievements,
      (input) => whole(input, creation(PLACE, FIELDS, input)),
      { names: NAMES },
    );
    return { created: await achievements(call, done), issues };
  },
);

export const updateAchievements = itemRoute(
  AdminService.method.updateAchievements,
  'admin',
  'updates',
  async (call, request) => {
    const { done, issues } = await edited(
      call,
      request.updates,
      ({ achievement, updateMask }) => {
        const input = achievement as AchievementInput;
        return whole(input, change(PLACE, FIELDS, input, updateMask), { mask: updateMask, path: 'achievement.' });
      },
      { within: 'achievement', names: NAMES },
    );
    return { updated: await achievements(call, done), issues };
  },
);

export const archiveAchievements = itemRoute(
  AdminService.method.archiveAchievements,
  'admin',
  'keys',
  async (call, request) => {
    const { done, issues } = await edited(call, request.keys, (key) => archival(PLACE, key));
    return { archived: done.map(({ key }) => key), issues };
  },
);

function whole(
  input: AchievementInput,
  asked: Asked,
  { mask, path = '' }: { mask?: FieldMask | undefined; path?: string } = {},
): Asked {
  return withLists(withType(asked, input.rule.case, mask), { [`${path}user_attributes`]: input.userAttributes });
}

/** Those that are still there. */
async function achievements(call: Call, done: readonly { key: string }[]) {
  const { program } = await currentProgram(call);
  return done
    .flatMap(({ key }) => program.achievements.find((achievement) => achievement.key === key) ?? [])
    .map(achievementMessage);
}
