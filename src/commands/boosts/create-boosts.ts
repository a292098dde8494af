import { type Orm, transact } from '../../db/orm.ts';
import { type BoostDraft, boostOf, boostProblems, boostWarnings, type ItemProblem } from '../../program/boost.ts';
import { reschedule } from '../../rules/boost-schedule.ts';
import { readBoost } from '../../rules/program.ts';
import type { System } from '../../rules/types.ts';
import { Issues, type Item, type ItemIssue } from '../judge.ts';
import type { Author, Em } from '../next-program.ts';
import { type BoostUser, boostUsers, openOf, readGround, settleBoosts } from './boost-changes.ts';
import { insertBoosts, type StoredBoost } from './boost-rows.ts';
import { takenIds } from './find-boosts.ts';

/** At most so many boosts that are not archived: of one user, and of all users in one points system. */
const USER_BOOSTS_MAX = 1_000;
const GLOBAL_BOOSTS_MAX = 5_000;

/** Makes what is right of the drafts, in one transaction; the issues tell of the rest. */
export async function createBoosts(
  orm: Orm,
  author: Author,
  systemId: string,
  drafts: readonly Item<BoostDraft>[],
): Promise<{ created: StoredBoost[]; issues: ItemIssue[] }> {
  return transact(orm, async (em) => {
    // One call of a project at a time, so that what it counts does not grow meanwhile.
    await em.execute(`select pg_advisory_xact_lock(hashtext('guerdon boosts'), ?::int)`, [author.projectId]);
    const issues = new Issues();
    const ground = await readGround(
      em,
      author.projectId,
      drafts.some(({ value }) => value.user === null),
    );
    const system = ground.systems.get(systemId);
    if (system === undefined) {
      for (const { index } of drafts) issues.error(index, '', 'the points system is no longer in the program');
      return { created: [], issues: issues.all };
    }
    const names = drafts.flatMap(({ value }) => value.user ?? []);
    const users = await boostUsers(
      em,
      author.projectId,
      names,
      drafts.some(({ value }) => value.start !== null && value.zone !== 'project'),
    );
    const room = await readRoom(em, system, [...users.values()]);
    const taken = await takenIds(
      em,
      drafts.flatMap(({ value }) => value.id ?? []),
    );
    const made: (Item<StoredBoost> & { warnings: ItemProblem[] })[] = [];
    for (const { index, value: draft } of drafts) {
      const user = draft.user === null ? null : users.get(draft.user);
      const problems = boostProblems(draft, ground.userAttributes);
      if (user === undefined)
        problems.push({ field: 'user_id', message: `there is no user ${JSON.stringify(draft.user)}` });
      if (draft.id !== null && taken.has(draft.id)) problems.push(TAKEN);
      if (issues.errors(index, problems) || user === undefined) continue;
      if (!room.take(user)) {
        issues.error(index, '', room.full(user));
        continue;
      }
      const id = draft.id ?? author.uuid();
      taken.add(id);
      const boost = boostOf(draft, id);
      const open = openOf(boost, user, ground.snapshot.timeZone);
      const zone = user?.zones.at(-1)?.zone ?? ground.snapshot.timeZone;
      const warnings = boostWarnings(readBoost(boost), system, open, { now: author.now, zone });
      const times = { createdAt: author.now, updatedAt: author.now, archivedAt: null };
      const value = { boost, systemId, user, open, ...reschedule('scheduled', open, author.now), ...times };
      made.push({ index, value, warnings });
    }
    const inserted = await insertBoosts(
      em,
      author.projectId,
      made.map(({ value }) => value),
    );
    const changed: { before: null; after: StoredBoost }[] = [];
    for (const { index, value, warnings } of made) {
      if (!inserted.has(value.boost.id)) {
        issues.errors(index, [TAKEN]);
        continue;
      }
      issues.warnings(index, warnings);
      changed.push({ before: null, after: value });
    }
    return { created: await settleBoosts(em, author, ground, changed), issues: issues.all };
  });
}

const TAKEN = { field: 'id', message: 'is taken: this boost was made before, or needs another id' };

/** How many more boosts there may be: of each user, and of all. */
async function readRoom(em: Em, system: System, users: readonly BoostUser[]) {
  const rows: { user_id: string; count: string }[] = await em.execute(
    `select user_id, count(*) from user_boosts
    where user_id = any(array(select jsonb_array_elements_text(?::jsonb)::bigint)) and archived_at is null group by 1`,
    [JSON.stringify(users.map(({ id }) => id))],
  );
  const own = new Map(rows.map(({ user_id, count }) => [String(user_id), Number(count)]));
  let global = system.boosts.length;
  return {
    take(user: BoostUser | null): boolean {
      if (user === null) return ++global <= GLOBAL_BOOSTS_MAX;
      const count = (own.get(user.id) ?? 0) + 1;
      own.set(user.id, count);
      return count <= USER_BOOSTS_MAX;
    },
    full(user: BoostUser | null): string {
      return user === null
        ? `${system.key} has ${GLOBAL_BOOSTS_MAX} boosts for all users already: archive some first`
        : `the user has ${USER_BOOSTS_MAX} boosts already: archive some first`;
    },
  };
}
