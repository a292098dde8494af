import { type Orm, transact } from '../../db/orm.ts';
import { type BoostDraft, boostOf, boostProblems, boostWarnings } from '../../program/boost.ts';
import { dueAt, reschedule } from '../../rules/boost-schedule.ts';
import { readBoost } from '../../rules/program.ts';
import { Issues, type Item, type ItemIssue } from '../judge.ts';
import type { Author, Em } from '../next-program.ts';
import { boostUsers, openOf, readGround, settleBoosts } from './boost-changes.ts';
import { type StoredBoost, updateBoostRows } from './boost-rows.ts';
import { boostsIn } from './find-boosts.ts';

/** Which boost, and the fields to set. */
export interface BoostPatch {
  id: string;
  fields: Partial<Omit<BoostDraft, 'id' | 'user'>>;
}

/** Changes what is right of the patches, in one transaction; the issues tell of the rest. */
export async function updateBoosts(
  orm: Orm,
  author: Author,
  patches: readonly Item<BoostPatch>[],
): Promise<{ updated: StoredBoost[]; issues: ItemIssue[] }> {
  return transact(orm, async (em) => {
    const issues = new Issues();
    const { ground, found } = await lockBoosts(
      em,
      author.projectId,
      patches.map(({ value }) => value.id),
    );
    const names = [...found.values()].flatMap(({ user }) => user?.externalId ?? []);
    const users = await boostUsers(em, author.projectId, names, true);
    const changed = new Map<string, { before: StoredBoost; after: StoredBoost }>();
    for (const { index, value } of patches) {
      const before = found.get(value.id);
      if (before === undefined || before.archivedAt !== null || changed.has(value.id)) {
        issues.error(index, 'id', before === undefined ? UNKNOWN : before.archivedAt !== null ? ARCHIVED : TWICE);
        continue;
      }
      const draft = { ...draftOf(before), ...value.fields };
      // A zone that came with days goes with them.
      if (draft.start === null && value.fields.zone === undefined) draft.zone = null;
      // What the boost asks for already may have been archived since.
      const asked = before.boost.userAttributes.map(({ key }) => key);
      if (issues.errors(index, boostProblems(draft, new Set([...ground.userAttributes, ...asked])))) continue;
      const user = before.user === null ? null : (users.get(before.user.externalId) ?? null);
      const boost = boostOf(draft, before.boost.id);
      const zone = ground.snapshot.timeZone;
      const open = openOf(boost, user, zone);
      const isWindowNews = WINDOW.some((field) => value.fields[field] !== undefined);
      const system = ground.systems.get(before.systemId);
      if (system !== undefined) {
        const now = { now: author.now, zone: user?.zones.at(-1)?.zone ?? zone };
        const warnings = boostWarnings(readBoost(boost), system, open, now);
        issues.warnings(index, isWindowNews ? warnings : warnings.filter(({ field }) => field === 'multiplier'));
      }
      const stand = isWindowNews
        ? reschedule(before.status, open, author.now)
        : { status: before.status, dueAt: dueAt(before.status, open) };
      const after = { ...before, boost, open, ...stand, updatedAt: author.now };
      changed.set(value.id, { before, after });
    }
    await updateBoostRows(
      em,
      author.projectId,
      [...changed.values()].map(({ after }) => after),
    );
    return { updated: await settleBoosts(em, author, ground, [...changed.values()]), issues: issues.all };
  });
}

/** Archives boosts; one that is archived already is a warning. */
export async function archiveBoosts(
  orm: Orm,
  author: Author,
  ids: readonly Item<string>[],
): Promise<{ archived: string[]; issues: ItemIssue[] }> {
  return transact(orm, async (em) => {
    const issues = new Issues();
    const { ground, found } = await lockBoosts(
      em,
      author.projectId,
      ids.map(({ value }) => value),
    );
    const changed = new Map<string, { before: StoredBoost; after: StoredBoost }>();
    for (const { index, value: id } of ids) {
      const before = found.get(id);
      if (before === undefined) issues.error(index, '', UNKNOWN);
      else if (before.archivedAt !== null || changed.has(id))
        issues.warnings(index, [{ field: '', message: ARCHIVED }]);
      else
        changed.set(id, { before, after: { ...before, dueAt: null, updatedAt: author.now, archivedAt: author.now } });
    }
    await updateBoostRows(
      em,
      author.projectId,
      [...changed.values()].map(({ after }) => after),
    );
    await settleBoosts(em, author, ground, [...changed.values()]);
    return { archived: [...changed.keys()], issues: issues.all };
  });
}

const WINDOW = ['start', 'end', 'zone', 'startTime', 'endTime'] as const;

const UNKNOWN = 'there is no boost with this id';
const ARCHIVED = 'the boost is archived';
const TWICE = 'stands in the list twice';

/** The boosts, locked, and the project as well where one of them is part of its program. */
async function lockBoosts(em: Em, projectId: string, ids: readonly string[]) {
  const areForAll = (boosts: Map<string, StoredBoost>) => [...boosts.values()].some(({ user }) => user === null);
  const seen = areForAll(await boostsIn(em, projectId, ids));
  const ground = await readGround(em, projectId, seen);
  const found = await boostsIn(em, projectId, ids, true);
  // One may have been made in between.
  return { ground: seen || !areForAll(found) ? ground : await readGround(em, projectId, true), found };
}

function draftOf({ boost, user }: StoredBoost): BoostDraft {
  const { window } = boost;
  const days = window.kind === 'dates' ? window : null;
  const instants = window.kind === 'instants' ? window : null;
  return {
    id: boost.id,
    user: user?.externalId ?? null,
    name: boost.name,
    multiplier: boost.multiplier,
    rounding: boost.rounding,
    exclusive: boost.exclusive,
    userAttributes: boost.userAttributes,
    start: days?.start ?? null,
    end: days?.end ?? null,
    zone: days?.zone ?? null,
    startTime: instants?.startTime ?? null,
    endTime: instants?.endTime ?? null,
  };
}
