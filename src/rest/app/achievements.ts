import { type AchievementCount, AchievementService } from '../../gen/guerdon/v1/achievement_service_pb.ts';
import { type Achievement, type CompletedAchievement, TriggerStatus } from '../../gen/guerdon/v1/types_pb.ts';
import type { Call } from '../../rpc/call.ts';
import { currentProgram } from '../../rpc/lookup.ts';
import { type Answer, type RestCall, rpc } from '../route.ts';
import { achievementTeller } from '../shapes/achievement.ts';
import { pointsShapes } from '../shapes/points.ts';
import { checkSubscription, type UpsertedUser, userInput } from '../shapes/user.ts';
import { knownAddress } from './users.ts';

const PAGE_SIZE = 500;

/** Those that can be completed. */
export async function listAchievements({ call }: RestCall): Promise<Answer> {
  const { tell } = await achievementTeller(call);
  const { all, statsOf } = await counted(call);
  return { body: all.filter(isActive).map((achievement) => ({ ...tell(achievement), ...statsOf(achievement) })) };
}

/** What the user has completed, the latest first; then, where they are asked for, those that are left. */
export async function listUserAchievements({ call, path, query }: RestCall): Promise<Answer> {
  const { ofUser } = await achievementTeller(call);
  const completed = await completedBy(call, path.id as string);
  const { all, statsOf } = await counted(call);
  const byId = new Map(all.map((achievement) => [achievement.id, achievement]));
  const done = [...completed.keys()].flatMap((id) => byId.get(id) ?? []);
  const left = all.filter((achievement) => isActive(achievement) && !completed.has(achievement.id));
  const listed = query.includeIncomplete === 'true' ? [...done, ...left] : done;
  return {
    body: listed.map((achievement) => ({
      ...ofUser(achievement, completed.get(achievement.id)),
      ...statsOf(achievement),
    })),
  };
}

/** 201; 202 for one that the user had completed before, with the first completion. */
export async function completeAchievement({ call, path, body }: RestCall<{ user: UpsertedUser }>): Promise<Answer> {
  const { user } = body;
  checkSubscription(user, await knownAddress(call, user), 'user.');
  const asked = { user: userInput(user), achievementKey: path.key as string };
  const done = await rpc(call, AchievementService.method.completeAchievement, asked);
  const { ofUser } = await achievementTeller(call);
  return {
    status: done.idempotentReplayed ? 202 : 201,
    body: {
      completionId: done.completionId,
      achievement: ofUser(done.completed?.achievement as Achievement, done.completed),
      points: await pointsShapes(call, await currentProgram(call), user.id, done.points),
    },
  };
}

/** Of each metric, by its key, the achievements that are completed by its total, as they are for the user. */
export async function achievementsByMetric(call: Call, userId: string) {
  const { ofUser } = await achievementTeller(call);
  const completed = await completedBy(call, userId);
  const all = (await listed(call, false)).map(({ achievement }) => achievement as Achievement);
  return (metricKey: string) =>
    all
      .filter(({ rule }) => rule.case === 'metric' && rule.value.metricKey === metricKey)
      .filter((achievement) => isActive(achievement) || completed.has(achievement.id))
      .map((achievement) => ofUser(achievement, completed.get(achievement.id)));
}

const isActive = ({ status }: Achievement) => status === TriggerStatus.ACTIVE;

/** All achievements of the project, and who has completed each: how many users, and which part of all in percent. */
async function counted(call: Call) {
  const found = await listed(call, true);
  const completions = new Map(found.map(({ achievement, completions: count }) => [achievement?.id, Number(count)]));
  const users = Number(found[0]?.users ?? 0n);
  return {
    all: found.map(({ achievement }) => achievement as Achievement),
    statsOf: ({ id }: Achievement) => {
      const count = completions.get(id) ?? 0;
      return { completions: count, rarity: users === 0 ? 0 : Math.round((count * 10_000) / users) / 100 };
    },
  };
}

async function listed(call: Call, withCounts: boolean) {
  const found: (AchievementCount & { users: bigint | undefined })[] = [];
  for (let pageToken = ''; ; ) {
    const asked = { pageSize: PAGE_SIZE, pageToken, withCounts };
    const page = await rpc(call, AchievementService.method.listAchievements, asked);
    found.push(...page.achievements.map((item) => ({ ...item, users: page.users })));
    pageToken = page.nextPageToken;
    if (pageToken === '') break;
  }
  return found;
}

/** What a user has completed by the ids of the achievements, the latest first. */
async function completedBy(call: Call, userId: string): Promise<Map<string, CompletedAchievement>> {
  const found = new Map<string, CompletedAchievement>();
  for (let pageToken = ''; ; ) {
    const asked = { userId, pageSize: PAGE_SIZE, pageToken };
    const page = await rpc(call, AchievementService.method.listUserAchievements, asked);
    for (const item of page.completed) found.set(item.achievement?.id ?? '', item);
    pageToken = page.nextPageToken;
    if (pageToken === '') break;
  }
  return found;
}
